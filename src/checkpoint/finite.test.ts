import { describe, expect, it } from "vitest";
import { noise } from "../kernels/testing.ts";
import { firstNotFinite, requireFinite } from "./finite.ts";
import { dequantize, READABLE_DTYPES } from "./gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "./gguf/ggml-type.ts";

const BROKEN = { F32: [0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xff80_0001] } as const;
const BROKEN_HALVES = { F16: [0x7c00, 0xfc00, 0x7e00, 0xfdff], BF16: [0x7f80, 0xff80, 0x7fc0, 0xff81] } as const;

describe("a number that is not finite", () => {
  it.each([0, 1, 4095, 4096, 9998, 9999])("is found among floats at %d", (at) => {
    for (const bits of BROKEN.F32) {
      const words = new Uint32Array(10_000).fill(0x7f7f_ffff);
      words[at] = bits;
      expect(firstNotFinite("F32", new Uint8Array(words.buffer))?.index).toBe(at);
    }
    for (const dtype of ["F16", "BF16"] as const) {
      for (const bits of BROKEN_HALVES[dtype]) {
        // The largest number of each sign, which is finite.
        const halves = Uint16Array.from(
          { length: 10_001 },
          (_, i) => (dtype === "F16" ? 0x7bff : 0x7f7f) | ((i & 1) << 15),
        );
        expect(firstNotFinite(dtype, new Uint8Array(halves.buffer))).toBeUndefined();
        halves[at] = bits;
        halves[10_000] = bits;
        expect(firstNotFinite(dtype, new Uint8Array(halves.buffer))?.index).toBe(at);
      }
    }
  });

  it("is found in the last half of an odd number, and in bytes that begin anywhere", () => {
    const halves = Uint16Array.of(0x3c00, 0x3c00, 0x7c00);
    expect(firstNotFinite("F16", new Uint8Array(halves.buffer))).toEqual({ index: 2, value: Infinity });
    const bytes = new Uint8Array(14);
    bytes.set(new Uint8Array(Float32Array.of(1, 2, Number.NaN).buffer), 2);
    expect(firstNotFinite("F32", bytes.subarray(2))?.index).toBe(2);
  });

  it.each(READABLE_DTYPES)("is found in random bytes of %s where dequantizing gives one", (dtype) => {
    const { block, bytes: size } = GGML_TYPES[dtype];
    const next = noise(11);
    let found = 0;
    for (let round = 0; round < 60; round++) {
      const blocks = Math.max(4, Math.ceil(64 / block));
      const bytes = Uint8Array.from({ length: blocks * size }, () => Math.floor((next() + 1) * 128));
      const at = dequantize(dtype, bytes).findIndex((value) => !Number.isFinite(value));
      expect(firstNotFinite(dtype, bytes)?.index, `round ${round}`).toBe(at === -1 ? undefined : at);
      if (at !== -1) found++;
    }
    expect(found).toBeGreaterThan(0);
  });

  it("is named with its tensor and its place", () => {
    const values = new Float32Array(12);
    values[7] = -Infinity;
    const tensor = { name: "model.norm.weight", shape: [5, 6] };
    expect(() => requireFinite(tensor, "F32", new Uint8Array(values.buffer), 12)).toThrow(
      'tensor "model.norm.weight" [5, 6] holds minus infinity at [3, 1]; expected finite numbers',
    );
  });
});
