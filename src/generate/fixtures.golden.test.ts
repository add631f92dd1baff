import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { DEVICE_VARIANTS, testGpu } from "../gpu/node/test-device.ts";
import { generate } from "./generate.ts";
import { resolveOptions } from "./options.ts";
import { loadModel } from "../model/load.ts";
import type { LanguageModelWeights } from "../model/load.ts";
import { Session } from "../model/session.ts";
import { FIXTURES } from "../testing-data.ts";

interface GoldenCase {
  readonly input_ids: readonly number[];
  readonly last_logits: readonly number[];
  readonly token_logprobs: readonly number[];
  readonly argmax_per_position: readonly number[];
  readonly entropy_per_position: readonly number[];
  readonly greedy_continuation: readonly number[];
  readonly greedy_top1_margin: readonly number[];
}

const SIZES = { maxSequences: 16, contextTokens: 160, kvTokens: 160, prefillRows: 48 };

const models = readdirSync(FIXTURES).filter((name) => existsSync(join(FIXTURES, name, "expected.json")));

function largestError(actual: readonly number[], expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  return Math.max(0, ...expected.map((want, i) => Math.abs((actual[i] ?? Number.NaN) - want)));
}

it("finds golden models", () => {
  expect(models.length).toBeGreaterThan(0);
});

describe.each(models)("%s", (name) => {
  const golden = JSON.parse(readFileSync(join(FIXTURES, name, "expected.json"), "utf8")) as { cases: GoldenCase[] };
  const cases = golden.cases.map((test) => ({ ...test, length: test.input_ids.length }));
  const continued = cases.filter((test) => test.greedy_continuation);

  // One pass with every optional feature, one with none on the guaranteed limits.
  describe.each([DEVICE_VARIANTS[0], DEVICE_VARIANTS.at(-1)].flatMap((v) => v ?? []))("$name", ({ options }) => {
    let model: LanguageModelWeights;
    let session: Session;

    beforeAll(async () => {
      model = await loadModel(await testGpu(options), nodeFolder(join(FIXTURES, name)));
      session = await Session.create(model, { ...SIZES, kv: "f32" });
    });
    afterAll(() => {
      session.dispose();
      model.dispose();
    });

    it.each(cases)("scores $length tokens as the float64 reference does", async (test) => {
      const { positions, lastLogits } = await session.score(test.input_ids);
      const logprobs = positions.slice(0, -1).map(({ logprob }) => logprob ?? Number.NaN);
      expect(largestError(logprobs, test.token_logprobs)).toBeLessThan(1e-3);
      expect(largestError([...lastLogits], test.last_logits)).toBeLessThan(1e-3);
      expect(
        largestError(
          positions.map(({ entropy }) => entropy),
          test.entropy_per_position,
        ),
      ).toBeLessThan(1e-3);
      expect(positions.map(({ argmax }) => argmax)).toEqual(test.argmax_per_position);
    });

    it.each(continued)("continues $length tokens greedily as the reference does", async (test) => {
      const got: number[] = [];
      const request = {
        prompts: [{ ids: test.input_ids, startsInThink: false }],
        stopIds: [],
        options: resolveOptions({ temperature: 0, maxNewTokens: test.greedy_continuation.length }),
      };
      for await (const event of generate(session, request)) if (event.type === "token") got.push(event.id);
      expect(got).toHaveLength(test.greedy_continuation.length);
      // Past a near tie the two may take different ways, and everything after it differs.
      const tie = test.greedy_top1_margin.findIndex((margin) => margin <= 1e-3);
      const sure = tie === -1 ? got.length : tie;
      expect(got.slice(0, sure)).toEqual(test.greedy_continuation.slice(0, sure));
    });
  });

  it("stays near with a cache of f16, on a device without shader-f16", async () => {
    const model = await loadModel(await testGpu({ without: ["f16"] }), nodeFolder(join(FIXTURES, name)));
    const session = await Session.create(model, { ...SIZES, kv: "f16" });
    const errors: number[] = [];
    for (const test of cases) {
      const { positions, lastLogits } = await session.score(test.input_ids);
      const logprobs = positions.slice(0, -1).map(({ logprob }) => logprob ?? Number.NaN);
      errors.push(largestError(logprobs, test.token_logprobs), largestError([...lastLogits], test.last_logits));
    }
    session.dispose();
    model.dispose();
    expect(Math.max(...errors)).toBeLessThan(3e-3);
    // Keys and values are rounded indeed.
    expect(Math.max(...errors)).toBeGreaterThan(1e-5);
  });
});
