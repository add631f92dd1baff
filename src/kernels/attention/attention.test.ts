import { describe, expect, it } from "vitest";
import { DEVICE_VARIANTS, readF32, testGpu } from "../../gpu/node/test-device.ts";
import { f16BitsToF32, f32ToF16Bits } from "../weights/half.ts";
import { uploadStorage } from "../buffers.ts";
import { expectClose, noiseArray } from "../testing.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import { AttentionPlan } from "./attention.ts";
import { attentionReference, toPairOrder } from "./reference.ts";
import type { DenseSequence } from "./reference.ts";
import type { AttentionShape } from "./source.ts";

interface Sequence {
  readonly length: number;
  readonly newRows: number;
  /** Keys of this many first positions come from sequence 0's rows. */
  readonly shared?: number;
}

/** Runs both kernels' paths over sequences scattered in one cache and compares with the dense reference. */
async function check(
  options: object,
  shape: AttentionShape,
  sequences: readonly Sequence[],
  mode: "prefill" | "decode",
): Promise<void> {
  const context = await testGpu(options);
  const scope = context.arena.scope("attention test");
  const { headDim, heads, kvHeads, kv } = shape;
  const width = kvHeads * headDim;
  const capacity = sequences.reduce((sum, s) => sum + s.length + 3, 5);
  const cache = noiseArray(capacity * 2 * width, 11);
  if (kv === "f16") for (let i = 0; i < cache.length; i++) cache[i] = f16BitsToF32(f32ToF16Bits(cache[i] ?? 0));
  let own = 5;
  let row = 0;
  const dense: DenseSequence[] = [];
  const table: number[] = [];
  const q: number[] = [];
  const firstBase = own;
  for (const [i, { length, newRows, shared = 0 }] of sequences.entries()) {
    table.push(firstBase, shared, own, length, row, newRows, 0, 0);
    const k = new Float32Array(length * width);
    const v = new Float32Array(length * width);
    for (let t = 0; t < length; t++) {
      const cell = (t < shared ? firstBase + t : own + t - shared) * 2 * width;
      k.set(cache.subarray(cell, cell + width), t * width);
      v.set(cache.subarray(cell + width, cell + 2 * width), t * width);
    }
    const rows = noiseArray(newRows * heads * headDim, 20 + i, 2);
    q.push(...rows);
    dense.push({ length, newRows, q: rows, k, v });
    own += length - shared + 3;
    row += newRows;
  }
  const paired = toPairOrder(cache, headDim);
  const stored = kv === "f16" ? Uint16Array.from(paired, f32ToF16Bits) : paired;
  const plan = await AttentionPlan.create(context, scope, shape, sequences.length);
  const tiles = sequences.flatMap(({ newRows }, i) => plan.tileStarts(newRows).flatMap((start) => [i, start]));
  const stride = roundUp(heads * headDim, ACTIVATION_PAD);
  const out = scope.create("out", row * stride * 4);
  const layer = plan.layer(context, {
    q: uploadStorage(context, scope, "q", toPairOrder(Float32Array.from(q), headDim)),
    kv: uploadStorage(context, scope, "kv", stored),
    seqs: uploadStorage(context, scope, "seqs", Uint32Array.from(table)),
    tiles: uploadStorage(context, scope, "tiles", Uint32Array.from(tiles)),
    out,
  });
  const batch = context.commands();
  if (mode === "prefill") layer.encodePrefill(batch, tiles.length / 2);
  else layer.encodeDecode(batch, sequences.length, Math.max(...sequences.map((s) => s.length)));
  batch.submit();
  const got = await readF32(context, out, row * stride);
  scope.dispose();
  let at = 0;
  for (const sequence of dense) {
    // The kernels see the reference's keys in pair order undone: the dense K is in the model's order already.
    const want = attentionReference(shape, sequence);
    for (let r = 0; r < sequence.newRows; r++, at++) {
      const wanted = want.subarray(r * heads * headDim, (r + 1) * heads * headDim);
      expectClose(got.subarray(at * stride, at * stride + heads * headDim), wanted, 3e-5);
    }
  }
  expect(at).toBe(row);
}

const SHAPES: readonly AttentionShape[] = [
  { headDim: 8, heads: 8, kvHeads: 4, kv: "f32" },
  { headDim: 16, heads: 8, kvHeads: 1, kv: "f32" },
  { headDim: 32, heads: 6, kvHeads: 3, kv: "f16" },
  { headDim: 128, heads: 12, kvHeads: 2, kv: "f32" },
  { headDim: 128, heads: 2, kvHeads: 2, kv: "f16" },
  { headDim: 20, heads: 3, kvHeads: 1, kv: "f32" },
  { headDim: 256, heads: 2, kvHeads: 1, kv: "f32" },
];

/** Two workgroups of five heads, of which one is too many. */
const NINE_HEADS: AttentionShape = { headDim: 64, heads: 9, kvHeads: 1, kv: "f16" };
const DECODE_SHAPES: readonly AttentionShape[] = [
  ...SHAPES,
  NINE_HEADS,
  // So many heads of a group that sixteen threads share a key.
  { headDim: 128, heads: 7, kvHeads: 1, kv: "f16" },
  // Vectors of a head that no power of two divides.
  { headDim: 68, heads: 1, kvHeads: 1, kv: "f32" },
];

// The kernels use no optional feature, so the least capable device is the one to test.
const options = DEVICE_VARIANTS.at(-1)?.options ?? {};

describe("attention", () => {
  it.each(SHAPES)("prefill, heads of $headDim, $heads over $kvHeads, $kv cache", async (shape) => {
    await check(
      options,
      shape,
      [
        { length: 1, newRows: 1 },
        { length: 33, newRows: 33 },
        { length: 40, newRows: 7 },
      ],
      "prefill",
    );
  });

  it.each(DECODE_SHAPES)(
    "decode over split contexts, heads of $headDim, $heads over $kvHeads, $kv cache",
    async (shape) => {
      await check(
        options,
        shape,
        [1, 7, 65, 130, 300].map((length) => ({ length, newRows: 1 })),
        "decode",
      );
    },
  );

  it("keys of a shared prefix come from another sequence's rows", async () => {
    const shape: AttentionShape = { headDim: 16, heads: 4, kvHeads: 2, kv: "f32" };
    const group = [
      { length: 70, newRows: 1 },
      { length: 75, newRows: 1, shared: 69 },
      { length: 90, newRows: 1, shared: 33 },
    ];
    await check(options, shape, group, "decode");
    await check(options, NINE_HEADS, group, "decode");
    await check(
      options,
      shape,
      [
        { length: 20, newRows: 20 },
        { length: 31, newRows: 14, shared: 17 },
      ],
      "prefill",
    );
  });

  it("a context long enough for the largest number of splits", async () => {
    await check(options, { headDim: 8, heads: 2, kvHeads: 1, kv: "f32" }, [{ length: 5000, newRows: 1 }], "decode");
  });

  it("splits of more keys than have their scores in memory", async () => {
    await check(options, NINE_HEADS, [{ length: 9001, newRows: 1 }], "decode");
  });

  it("more heads in a group than one workgroup takes", async () => {
    await check(options, { headDim: 8, heads: 24, kvHeads: 1, kv: "f32" }, [{ length: 19, newRows: 1 }], "decode");
  });
});
