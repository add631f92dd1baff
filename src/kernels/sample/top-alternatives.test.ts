import { describe, expect, it } from "vitest";
import { DEVICE_VARIANTS, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage } from "../buffers.ts";
import { noise } from "../testing.ts";
import { logSumExp, scaledLogits } from "./reference.ts";
import { PLAIN, peakedLogits } from "./testing.ts";
import { TopAlternatives } from "./top-alternatives.ts";
import type { Alternative } from "./top-alternatives.ts";

async function run(options: object, logits: readonly Float32Array[], count?: number): Promise<Alternative[][]> {
  const context = await testGpu(options);
  const scope = context.arena.scope("alternatives test");
  const vocab = logits[0]?.length ?? 0;
  const logitStride = Math.ceil(vocab / 4) * 4;
  const data = new Float32Array(logits.length * logitStride).fill(1e9);
  logits.forEach((row, r) => data.set(row, r * logitStride));
  const rows = { maxRows: logits.length, vocab, logitStride, logits: uploadStorage(context, scope, "logits", data) };
  const alternatives = await TopAlternatives.create(context, scope, rows, count);
  const batch = context.commands();
  const wait = alternatives.enqueue(batch, logits.length);
  batch.submit();
  try {
    return await wait();
  } finally {
    scope.dispose();
  }
}

/** By sorting; the lower id first on ties. */
function reference(logits: Float32Array, count: number): Alternative[] {
  const raw = scaledLogits(logits, PLAIN, new Set());
  const sum = logSumExp(raw);
  return [...raw.entries()]
    .filter(([, value]) => value > -Infinity)
    .toSorted(([a, x], [b, y]) => y - x || a - b)
    .slice(0, count)
    .map(([id, value]) => ({ id, logprob: value - sum }));
}

describe.each(DEVICE_VARIANTS)("top alternatives, $name", ({ options }) => {
  it.each([1, 7, 33, 130, 515, 5003, 152_064])("are the most probable of %d ids, in order", async (vocab) => {
    const next = noise(vocab);
    const logits = Array.from({ length: vocab > 6000 ? 1 : 3 }, () => peakedLogits(vocab, next));
    for (const count of vocab > 6000 ? [20] : [1, 5, 20]) {
      const got = await run(options, logits, count);
      logits.forEach((row, r) => {
        const want = reference(row, count);
        expect(got[r]?.map(({ id }) => id)).toEqual(want.map(({ id }) => id));
        want.forEach(({ logprob }, k) => {
          expect(Math.abs((got[r]?.[k]?.logprob ?? Number.NaN) - logprob)).toBeLessThan(2e-5);
        });
      });
    }
  });

  it("order ties by id, leave out what is impossible, and end where nothing is left", async () => {
    const ties = new Float32Array(600).fill(2);
    const few = new Float32Array(600).fill(-Infinity);
    few[599] = 1;
    few[3] = 4;
    few[7] = Number.NaN;
    const none = new Float32Array(600).fill(-Infinity);
    const [first, second, third] = await run(options, [ties, few, none]);
    expect(first?.map(({ id }) => id)).toEqual(Array.from({ length: 20 }, (_, id) => id));
    expect(second?.map(({ id }) => id)).toEqual([3, 599]);
    expect(third).toEqual([]);
  });
});

describe("top alternatives", () => {
  it.each([0, 21, 1.5])("refuse %d of them", async (count) => {
    await expect(run({}, [new Float32Array(8)], count)).rejects.toMatchObject({ code: "E_OPTION" });
  });
});
