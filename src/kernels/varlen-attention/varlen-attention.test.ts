import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage } from "../buffers.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noiseArray, padRows } from "../testing.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import { varlenAttentionGradientReference, varlenAttentionReference } from "./reference.ts";
import type { PackedSequences } from "./reference.ts";
import { attentionTiles, maxAttentionTiles, VarlenAttention, VarlenAttentionGradient } from "./varlen-attention.ts";
import type { VarlenShape } from "./varlen-attention.ts";

function cumulative(lengths: readonly number[]): number[] {
  const starts = [0];
  for (const length of lengths) starts.push((starts.at(-1) ?? 0) + length);
  return starts;
}

function packed(shape: VarlenShape, lengths: readonly number[], scale = 2): PackedSequences & { qkv: Float32Array } {
  const { headDim, heads, kvHeads } = shape;
  const cuSeqlens = cumulative(lengths);
  const qkv = noiseArray((cuSeqlens.at(-1) ?? 0) * (heads + 2 * kvHeads) * headDim, 1, scale);
  return { ...shape, cuSeqlens, qkv };
}

/** Rows [rows, width padded to 32] without their padding, which must be as it was: zero. */
function unpadded(values: Float32Array, rows: number, width: number): Float32Array {
  const stride = roundUp(width, ACTIVATION_PAD);
  const out = new Float32Array(rows * width);
  for (let i = 0; i < rows; i++) out.set(values.subarray(i * stride, i * stride + width), i * width);
  expect(values).toEqual(padRows(out, rows, width));
  return out;
}

/** Noise [rows, width] in rows padded with zeros to 32: results overwrite it, and leave the padding alone. */
function before(rows: number, width: number): Float32Array<ArrayBuffer> {
  return padRows(noiseArray(rows * width, 9), rows, width);
}

async function attend(of: PackedSequences & { qkv: Float32Array }, dOut: Float32Array) {
  const { headDim, heads, kvHeads, cuSeqlens } = of;
  const context = await testGpu();
  const scope = context.arena.scope("varlen attention test");
  const rows = cuSeqlens.at(-1) ?? 0;
  const [width, outWidth] = [(heads + 2 * kvHeads) * headDim, heads * headDim];
  const tiles = attentionTiles(cuSeqlens);
  const buffers = {
    tiles: uploadStorage(context, scope, "tiles", tiles),
    qkv: uploadStorage(context, scope, "qkv", padRows(of.qkv, rows, width)),
    out: uploadStorage(context, scope, "out", before(rows, outWidth)),
    lse: uploadStorage(context, scope, "lse", noiseArray(rows * heads, 8)),
    dOut: uploadStorage(context, scope, "dOut", padRows(dOut, rows, outWidth)),
    delta: uploadStorage(context, scope, "delta", noiseArray(rows * heads, 7)),
    dQkv: uploadStorage(context, scope, "dQkv", before(rows, width)),
  };
  const forward = await VarlenAttention.create(context, scope, of, buffers);
  const gradient = await VarlenAttentionGradient.create(context, scope, of, buffers);
  const batch = context.commands();
  forward.encode(batch, tiles.length / 4);
  gradient.encode(batch, tiles.length / 4);
  batch.submit();
  const read = async (buffer: GPUBuffer, columns: number): Promise<Float32Array> =>
    unpadded(await readF32(context, buffer, rows * roundUp(columns, ACTIVATION_PAD)), rows, columns);
  const out = await read(buffers.out, outWidth);
  const dQkv = await read(buffers.dQkv, width);
  const lse = await readF32(context, buffers.lse, rows * heads);
  scope.dispose();
  return { out, lse, dQkv };
}

function outputNoise({ cuSeqlens, heads, headDim }: PackedSequences): Float32Array<ArrayBuffer> {
  return noiseArray((cuSeqlens.at(-1) ?? 0) * heads * headDim, 2);
}

describe("attention of packed sequences", () => {
  it.each([
    { headDim: 4, heads: 4, kvHeads: 2, lengths: [1, 7, 33, 70] },
    { headDim: 16, heads: 3, kvHeads: 3, lengths: [33, 1, 2] },
    { headDim: 12, heads: 4, kvHeads: 1, lengths: [7, 32, 5] },
    { headDim: 12, heads: 4, kvHeads: 1, lengths: [65] },
    { headDim: 12, heads: 4, kvHeads: 1, lengths: [1] },
  ])(
    "$headDim wide, $heads heads over $kvHeads, sequences of $lengths: output and gradients equal the reference",
    async ({ lengths, ...shape }) => {
      const of = packed(shape, lengths);
      const dOut = outputNoise(of);
      const got = await attend(of, dOut);
      const want = varlenAttentionReference(of);
      expectClose(got.out, want.out, 1e-5);
      expectClose(got.lse, want.lse, 1e-5);
      expectClose(got.dQkv, varlenAttentionGradientReference(of, dOut), 2e-5);
    },
  );

  it("scores of hundreds do not overflow", async () => {
    const of = packed({ headDim: 4, heads: 4, kvHeads: 2 }, [7, 33], 20);
    const dOut = outputNoise(of);
    const got = await attend(of, dOut);
    const want = varlenAttentionReference(of);
    expect(want.lse.reduce((top, value) => Math.max(top, Math.abs(value)), 0)).toBeGreaterThan(200);
    expectClose(got.out, want.out, 1e-4);
    expectClose(got.lse, want.lse, 1e-5);
    expectClose(got.dQkv, varlenAttentionGradientReference(of, dOut), 1e-3);
  });

  it("a sequence sees nothing of the others", async () => {
    const shape = { headDim: 4, heads: 4, kvHeads: 2 };
    const of = packed(shape, [7, 40, 33]);
    const dOut = outputNoise(of);
    const [width, outWidth] = [8 * 4, 4 * 4];
    const changed = (values: Float32Array, columns: number): Float32Array<ArrayBuffer> =>
      Float32Array.from(values, (value, i) => (i < 7 * columns || i >= 47 * columns ? 50 - value : value));
    const alone = await attend(of, dOut);
    const among = await attend({ ...of, qkv: changed(of.qkv, width) }, changed(dOut, outWidth));
    const middle = (values: Float32Array, columns: number): Float32Array => values.subarray(7 * columns, 47 * columns);
    expect(middle(among.out, outWidth)).toEqual(middle(alone.out, outWidth));
    expect(middle(among.lse, 4)).toEqual(middle(alone.lse, 4));
    expect(middle(among.dQkv, width)).toEqual(middle(alone.dQkv, width));
    expect(among.out.subarray(0, 7 * outWidth)).not.toEqual(alone.out.subarray(0, 7 * outWidth));
  });

  it("a row sees nothing of later ones", async () => {
    const of = packed({ headDim: 4, heads: 4, kvHeads: 2 }, [40]);
    const dOut = outputNoise(of);
    const later = Float32Array.from(of.qkv, (value, i) => (i >= 30 * 32 ? -value : value));
    const one = await attend(of, dOut);
    const other = await attend({ ...of, qkv: later }, dOut);
    expect(other.out.subarray(0, 30 * 16)).toEqual(one.out.subarray(0, 30 * 16));
    expect(other.out.subarray(30 * 16)).not.toEqual(one.out.subarray(30 * 16));
  });

  it.each([
    { headDim: 6, heads: 2, kvHeads: 2 },
    { headDim: 260, heads: 2, kvHeads: 2 },
    { headDim: 4, heads: 3, kvHeads: 2 },
  ])("refuses $headDim wide, $heads heads over $kvHeads", async (shape) => {
    const context = await testGpu();
    const scope = context.arena.scope("varlen attention test");
    const buffer = scope.create("buffer", 16);
    const buffers = {
      tiles: buffer,
      qkv: buffer,
      out: buffer,
      lse: buffer,
      dOut: buffer,
      delta: buffer,
      dQkv: buffer,
    };
    await expect(VarlenAttention.create(context, scope, shape, buffers)).rejects.toMatchObject({ code: "E_CONFIG" });
    await expect(VarlenAttentionGradient.create(context, scope, shape, buffers)).rejects.toMatchObject({
      code: "E_CONFIG",
    });
    scope.dispose();
  });
});

describe("attention tiles", () => {
  it("are 32 rows or what is left of a sequence, and none for an empty one", () => {
    const tiles = attentionTiles([0, 1, 1, 34, 104]);
    expect([...tiles]).toEqual(
      [
        [0, 1, 0, 1],
        [1, 32, 1, 34],
        [33, 1, 1, 34],
        [34, 32, 34, 104],
        [66, 32, 34, 104],
        [98, 6, 34, 104],
      ].flat(),
    );
    expect(attentionTiles([0])).toHaveLength(0);
  });

  it.each([[[1, 1, 1, 1]], [[33, 33, 33]], [[70]], [[1, 7, 33, 70]]])(
    "%j need no more than are provided",
    (lengths) => {
      const starts = cumulative(lengths);
      const most = maxAttentionTiles(starts.at(-1) ?? 0, lengths.length);
      expect(attentionTiles(starts).length / 4).toBeLessThanOrEqual(most);
    },
  );
});

describe("reference", () => {
  it.each([
    { headDim: 4, heads: 4, kvHeads: 2 },
    { headDim: 3, heads: 3, kvHeads: 3 },
    { headDim: 2, heads: 4, kvHeads: 1 },
  ])("its gradient is its derivative: $headDim wide, $heads heads over $kvHeads", (shape) => {
    const of = packed(shape, [1, 4, 3]);
    const dOut = outputNoise(of);
    expectDerivative(
      (qkv) => dot(varlenAttentionReference({ ...of, qkv }).out, dOut),
      of.qkv,
      varlenAttentionGradientReference(of, dOut),
    );
  });

  it("is plain softmax attention: two keys by hand", () => {
    // q = 1, k = (0, ln 3), v = (10, 20): probabilities 1/4 and 3/4.
    const of = { headDim: 1, heads: 1, kvHeads: 1, cuSeqlens: [0, 2], qkv: [1, 0, 10, 1, Math.log(3), 20] };
    const { out, lse } = varlenAttentionReference(of);
    expectClose(out, [10, 17.5], 1e-12);
    expectClose(lse, [0, Math.log(4)], 1e-12);
  });
});
