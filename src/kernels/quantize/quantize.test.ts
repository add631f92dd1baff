import { afterEach, describe, expect, it } from "vitest";
import { testGpu } from "../../gpu/node/test-device.ts";
import { Readback } from "../../gpu/readback.ts";
import { fromFloats, toFloats } from "../../checkpoint/floats.ts";
import { noiseArray } from "../testing.ts";
import { blocksPerRow, rowBytes, scaleBytes } from "../weights/format.ts";
import { allocateMatrix } from "../weights/matrix.ts";
import { f16Limit, packWeights } from "../weights/pack.ts";
import { Quantizer, STAGING_BYTES } from "./quantize.ts";
import type { FloatFormat, QuantFormat } from "./quantize.ts";

const context = await testGpu({ limits: "default" });
const FORMATS = [
  ["f32", "q4"],
  ["f16", "q4"],
  ["bf16", "q4"],
  ["f32", "q8"],
  ["f16", "q8"],
  ["bf16", "q8"],
] as const;
const SIZES = [
  [1, 1],
  [3, 7],
  [7, 33],
  [130, 130],
  [5, 1536],
] as const;

interface Quantized {
  readonly levels: Uint8Array;
  readonly scales: Uint8Array;
}

const stored = (values: Float32Array<ArrayBuffer>, from: FloatFormat): Uint8Array<ArrayBuffer> =>
  fromFloats(values, ({ f32: "F32", f16: "F16", bf16: "BF16" } as const)[from]);

const asFloats = (bytes: Uint8Array<ArrayBuffer>, from: FloatFormat): Float32Array =>
  toFloats(bytes, ({ f32: "F32", f16: "F16", bf16: "BF16" } as const)[from]);

/** Cuts values off where the type or the scale ends. */
function hold(values: Float32Array, from: FloatFormat, to: QuantFormat): void {
  const most = Math.min(f16Limit(to) * 0.99, from === "f16" ? 65_504 : Infinity);
  values.forEach((value, i) => (values[i] = Math.min(most, Math.max(-most, value))));
}

afterEach(() => {
  const left = context.arena.liveBuffers;
  if (left !== 0) throw new Error(`${left} buffers were left on the device`);
});

/** Quantizes rows on the GPU, in pieces that end where `cuts` say. */
async function quantize(
  from: FloatFormat,
  to: QuantFormat,
  bytes: Uint8Array<ArrayBuffer>,
  [rows, k]: readonly [number, number],
  cuts: readonly number[] = [],
): Promise<Quantized> {
  const scope = context.arena.scope("quantize test");
  const quantizer = new Quantizer(context);
  try {
    const [chunk] = allocateMatrix(context, scope, "w", [{ format: to, rows }], k).chunks;
    if (!chunk?.scales) throw new Error("one chunk with scales expected");
    const write = await quantizer.matrix("w", to, k, [from]);
    const size = bytes.byteLength / rows;
    const ends = [...cuts, rows];
    for (const [i, end] of ends.entries()) {
      const row = ends[i - 1] ?? 0;
      write(chunk, { from, bytes: bytes.slice(row * size, end * size), rows: end - row, row });
    }
    await quantizer.check();
    const read = async (buffer: GPUBuffer, count: number): Promise<Uint8Array> =>
      (await new Readback(context, scope, buffer.size, 1).read(buffer, buffer.size)).subarray(0, count);
    return {
      levels: await read(chunk.data, rows * rowBytes(to, k)),
      scales: await read(chunk.scales, scaleBytes(to, rows, k, false)),
    };
  } finally {
    quantizer.dispose();
    scope.dispose();
  }
}

/** The reference's bytes. */
function reference(to: QuantFormat, values: Float32Array, [rows, k]: readonly [number, number]): Quantized {
  const { data, scales = new Uint8Array() } = packWeights(to, values, rows, k);
  return { levels: data, scales };
}

describe.each(FORMATS)("%s to %s", (from, to) => {
  it.each(SIZES)("[%i, %i] gives the reference's bytes", async (rows, k) => {
    const bytes = stored(noiseArray(rows * k, rows + k), from);
    expect(await quantize(from, to, bytes, [rows, k])).toEqual(reference(to, asFloats(bytes, from), [rows, k]));
  });

  it("in pieces that do not end at words of the scales gives the same", async () => {
    const bytes = stored(noiseArray(13 * 33, 4), from);
    const whole = await quantize(from, to, bytes, [13, 33]);
    // Three blocks a row: pieces begin at odd blocks.
    const wide = stored(noiseArray(13 * 70, 4), from);
    expect(await quantize(from, to, wide, [13, 70], [1, 4, 5, 12])).toEqual(await quantize(from, to, wide, [13, 70]));
    expect(await quantize(from, to, bytes, [13, 33], [1, 2, 9])).toEqual(whole);
  });

  it("of every size of number gives the reference's bytes: denormals, zeros of both signs, the largest", async () => {
    const values = noiseArray(512 * 32, 9);
    // A block's values lie within a few powers of two of each other; blocks go through all that the type has.
    for (let i = 0; i < values.length; i++) {
      const block = Math.floor(i / 32);
      values[i] = (values[i] ?? 0) * 2 ** (((block * 7) % 165) - 148 + (i % 5)) * (i % 11 === 0 ? 0 : 1);
    }
    hold(values, from, to);
    values.set([-0, 0, -0], 64);
    values.fill(-0, 96, 128);
    values.fill(0, 160, 192);
    const bytes = stored(values, from);
    expect(await quantize(from, to, bytes, [512, 32])).toEqual(reference(to, asFloats(bytes, from), [512, 32]));
  });

  it("of halves between levels and between scales gives the reference's bytes", async () => {
    const levels = to === "q8" ? 127 : 8;
    const values = new Float32Array(400 * 32);
    for (let block = 0; block < 400; block++) {
      // The scale: a f16, or one in the middle of two.
      const scale = (1 + (block % 200) / 2048) * 2 ** ((block % 29) - 18) * (block % 3 === 0 ? -1 : 1);
      values[block * 32] = levels * scale;
      for (let i = 1; i < 32; i++) values[block * 32 + i] = (i - 16 + 0.5) * scale * (to === "q8" ? 4 : 0.5);
    }
    hold(values, from, to);
    const bytes = stored(values, from);
    expect(await quantize(from, to, bytes, [400, 32])).toEqual(reference(to, asFloats(bytes, from), [400, 32]));
  });
});

it("takes more than the staging buffer holds", async () => {
  const [rows, k] = [STAGING_BYTES / 4096 + 3, 2048];
  const bytes = stored(noiseArray(rows * k, 5), "bf16");
  expect(bytes.byteLength).toBeGreaterThan(STAGING_BYTES);
  const found = await quantize("bf16", "q4", bytes, [rows, k]);
  const expected = reference("q4", asFloats(bytes, "bf16"), [rows, k]);
  expect(Buffer.from(found.levels).equals(Buffer.from(expected.levels))).toBe(true);
  expect(Buffer.from(found.scales).equals(Buffer.from(expected.scales))).toBe(true);
  expect(expected.scales).toHaveLength(rows * blocksPerRow(k) * 2);
});

describe("weights that no scale reaches are refused, by name", () => {
  it.each([
    ["q8", 65_504 * 127, 8_319_009],
    ["q4", 65_504 * 8, 524_033],
  ] as const)("%s: %d is taken, %d is not", async (to, most, beyond) => {
    const values = noiseArray(3 * 33, 5);
    values[40] = -most;
    const bytes = stored(values, "f32");
    expect(await quantize("f32", to, bytes, [3, 33])).toEqual(reference(to, values, [3, 33]));
    for (const wrong of [beyond, -beyond, Infinity, Number.NaN]) {
      values[40] = wrong;
      await expect(quantize("f32", to, stored(values, "f32"), [3, 33])).rejects.toMatchObject({
        code: "E_QUANTIZATION",
        message: expect.stringMatching(/^w: q.*f16; use f32/),
      });
      expect(() => packWeights(to, values, 3, 33)).toThrow(/f16; use f32/);
    }
  });
});
