import { describe, expect, it } from "vitest";
import { hasData, readData, titleWithData } from "../../node/test-data.ts";
import { GGML_TYPES } from "../ggml-type.ts";
import { dequantize, isReadableDtype, READABLE_DTYPES } from "./dequantize.ts";

const FOLDER = "gguf/quants";

interface QuantCase {
  readonly type: string;
  readonly block_size: number;
  readonly type_size: number;
  readonly ggml_type_id: number;
  readonly raw: string;
  readonly dequantized_f32_le: string;
}

const CASES = hasData(FOLDER)
  ? (JSON.parse(new TextDecoder().decode(readData(`${FOLDER}/index.json`))) as { readonly types: readonly QuantCase[] })
      .types
  : [];

describe.skipIf(!hasData(FOLDER))(titleWithData("dequantized blocks equal the reference's bit for bit", FOLDER), () => {
  it("for every type that can be read", () => {
    expect(CASES.map(({ type }) => type)).toEqual(expect.arrayContaining([...READABLE_DTYPES]));
  });

  it.each(CASES.filter(({ type }) => isReadableDtype(type)))(
    "$type",
    ({ type, raw, dequantized_f32_le, block_size, type_size, ggml_type_id }) => {
      if (!isReadableDtype(type)) throw new Error(`${type} cannot be read`);
      expect(GGML_TYPES[type]).toEqual({ id: ggml_type_id, block: block_size, bytes: type_size });
      const bytes = readData(`${FOLDER}/${raw}`);
      const words = new Uint32Array(readData(`${FOLDER}/${dequantized_f32_le}`).buffer);
      expect(new Uint32Array(dequantize(type, bytes).buffer)).toEqual(words);
      // A source may hand out bytes that begin anywhere.
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      expect(new Uint32Array(dequantize(type, shifted.subarray(1)).buffer)).toEqual(words);
    },
  );
});

it("an f16 that is no number stays none", () => {
  const bytes = Uint8Array.of(0x00, 0x7c, 0x00, 0xfc, 0x01, 0x7e);
  expect([...dequantize("F16", bytes)]).toEqual([Infinity, -Infinity, Number.NaN]);
});
