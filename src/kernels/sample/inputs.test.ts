import { afterAll, describe, expect, it } from "vitest";
import { testGpu } from "../../gpu/node/test-device.ts";
import { createSampler, decodeResults, seenWords } from "./sample.ts";
import type { SampleRow, SamplerInputs } from "./sample.ts";
import { PLAIN } from "./testing.ts";

const VOCAB = 130;
const context = await testGpu();
const scope = context.arena.scope("sampler inputs test");
afterAll(() => scope.dispose());

const buffers = {
  logits: scope.create("logits", 4 * 132 * 4),
  seen: scope.create("seen", 3 * seenWords(VOCAB) * 4),
  lastToken: scope.create("last", 16),
};
const inputs: SamplerInputs = { maxRows: 4, vocab: VOCAB, logitStride: 132, slots: 3, ...buffers };

describe("a sampler's inputs", () => {
  it.each([
    [{ maxRows: 0 }, "E_LIMIT"],
    [{ maxRows: 5 }, "E_INTERNAL"],
    [{ maxRows: 1_000_000_000 }, "E_LIMIT"],
    [{ vocab: 0 }, "E_LIMIT"],
    [{ vocab: 133 }, "E_INTERNAL"],
    [{ logitStride: 131 }, "E_INTERNAL"],
    [{ slots: 4 }, "E_INTERNAL"],
    [{ lastToken: scope.create("short", 16), slots: 40, seen: scope.create("long", 4000) }, "E_INTERNAL"],
  ] as const)("are refused where they do not fit: %o", async (change, code) => {
    await expect(createSampler(context, scope, { ...inputs, ...change })).rejects.toMatchObject({ code });
  });
});

describe("a row's parameters", () => {
  it.each<[Partial<SampleRow>, string]>([
    [{ temperature: -1 }, "temperature is -1"],
    [{ temperature: Number.NaN }, "temperature is NaN"],
    [{ topK: 1.5 }, "top_k is 1.5"],
    [{ topP: 1.01 }, "top_p is 1.01"],
    [{ minP: -0.1 }, "min_p is -0.1"],
    [{ repetitionPenalty: 0 }, "repetition_penalty is 0"],
    [{ seed: 2 ** 32 }, "seed is 4294967296"],
    [{ position: -1 }, "position is -1"],
    [{ slot: 3 }, "slot 3: expected a slot from 0 to 2"],
    [{ target: VOCAB }, "token id 130 is outside the vocabulary of 130"],
  ])("are refused out of range: %o", async (change, message) => {
    const sampler = await createSampler(context, scope, inputs);
    expect(() => sampler.writeParams([{ ...PLAIN, ...change }])).toThrow(message);
  });

  it("let no row read or write what another records", async () => {
    const sampler = await createSampler(context, scope, inputs);
    const records = { ...PLAIN, record: true };
    const reads = { ...PLAIN, repetitionPenalty: 1.2 };
    expect(() => sampler.writeParams([records, records])).toThrow("slot 0");
    expect(() => sampler.writeParams([reads, records])).toThrow("slot 0");
    expect(() => sampler.writeParams([reads, reads, PLAIN, { ...records, slot: 1 }])).not.toThrow();
  });

  it("have room for the sampler's rows and no more", async () => {
    const sampler = await createSampler(context, scope, inputs);
    const five = Array.from({ length: 5 }, () => PLAIN);
    expect(() => sampler.writeParams(five)).toThrow("5 rows");
    expect(() => sampler.encode(context.commands(), 5)).toThrow("5 rows");
    expect(() => decodeResults(new Uint8Array(63), 4)).toThrow("63 bytes");
  });
});

describe("a step", () => {
  it("takes two dispatches and creates nothing", async () => {
    const sampler = await createSampler(context, scope, inputs);
    const step = (count: number): void => {
      sampler.writeParams(Array.from({ length: count }, (_, i) => ({ ...PLAIN, position: i, topP: 0.9 })));
      const batch = context.commands();
      sampler.encode(batch, count);
      batch.submit();
    };
    const before = { ...context.counters };
    for (const count of [4, 1, 3]) step(count);
    const { counters } = context;
    expect(counters.dispatches - before.dispatches).toBe(6);
    expect(counters.buffersCreated).toBe(before.buffersCreated);
    expect(counters.bindGroupsCreated).toBe(before.bindGroupsCreated);
    expect(counters.pipelinesCreated).toBe(before.pipelinesCreated);
    await context.device.queue.onSubmittedWorkDone();
    context.assertHealthy();
  });
});
