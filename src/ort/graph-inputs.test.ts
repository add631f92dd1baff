import { describe, expect, it } from "vitest";
import type { OnnxValueInfo } from "../checkpoint/onnx/model.ts";
import { buildOnnx } from "../checkpoint/onnx/testing.ts";
import { readOnnxModel } from "../checkpoint/onnx/model.ts";
import { hasData, readData, titleWithData } from "../checkpoint/node/test-data.ts";
import { parseModelSpec } from "../model/spec.ts";
import { requireFiniteWeights } from "./finite-weights.ts";
import { cacheShapeOf } from "./graph-inputs.ts";

const [FLOAT, INT32, INT64, F16] = [1, 6, 7, 10];
const SPEC = parseModelSpec({
  architectures: ["Qwen2ForCausalLM"],
  hidden_size: 64,
  intermediate_size: 96,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  vocab_size: 1000,
  max_position_embeddings: 128,
});

const value = (name: string, type: number | undefined, shape?: (number | undefined)[]): OnnxValueInfo => ({
  name,
  type,
  shape,
});
const cache = (prefix: string, type: number, shape = [undefined, 2, undefined, 16]): OnnxValueInfo[] =>
  [0, 1].flatMap((i) => ["key", "value"].map((part) => value(`${prefix}.${i}.${part}`, type, shape)));
const ids = value("input_ids", INT64, [undefined, undefined]);
const logits = value("logits", FLOAT, [undefined, undefined, 1000]);
const inputs = [ids, value("attention_mask", INT64), ...cache("past_key_values", FLOAT)];
const outputs = [logits, ...cache("present", FLOAT)];

describe("a decoder's inputs and outputs", () => {
  it.each([
    ["as onnx-community's, without positions", inputs, outputs, "float32"],
    [
      "with positions, and the number of logits to keep",
      [...inputs, value("position_ids", INT64), value("num_logits_to_keep", INT64, [])],
      outputs,
      "float32",
    ],
    [
      "in halves, in another order",
      [...cache("past_key_values", F16).toReversed(), ids],
      [...cache("present", F16), logits],
      "float16",
    ],
    [
      "with open shapes",
      [value("input_ids", INT64), ...cache("past_key_values", FLOAT)],
      [value("logits", F16), ...cache("present", FLOAT)],
      "float32",
    ],
  ])("%s are taken", (_, given, made, type) => {
    const shape = cacheShapeOf({ inputs: given, outputs: made }, SPEC, "m.onnx");
    expect(shape).toMatchObject({ type, kvHeads: 2, headDim: 16 });
    expect(shape.names).toEqual(["0.key", "0.value", "1.key", "1.value"].map((name) => `past_key_values.${name}`));
  });

  const without = (name: string): OnnxValueInfo[] => inputs.filter((one) => one.name !== name);
  it.each([
    ["no ids", without("input_ids"), outputs, /no input input_ids/],
    [
      "ids of 32 bits",
      [...without("input_ids"), value("input_ids", INT32)],
      outputs,
      /input_ids of int32; expected int64/,
    ],
    [
      "ids of another rank",
      [...without("input_ids"), value("input_ids", INT64, [undefined])],
      outputs,
      /input_ids \[any\]; expected/,
    ],
    [
      "a mask of floats",
      [...without("attention_mask"), value("attention_mask", FLOAT)],
      outputs,
      /attention_mask of float; expected int64/,
    ],
    [
      "an input that nobody knows",
      [...inputs, value("beam\u001b[0m", INT64)],
      outputs,
      /an input "beam.*"; expected input_ids/,
    ],
    ["another number of layers", without("past_key_values.1.key"), outputs, /3 cache inputs; expected 4/],
    [
      "a layer twice",
      [...without("past_key_values.1.key"), value("past_key_values.7.key", FLOAT)],
      outputs,
      /no input past_key_values\.1\.key/,
    ],
    [
      "other heads",
      [ids, ...cache("past_key_values", FLOAT, [undefined, 4, undefined, 16])],
      outputs,
      /\[any, 4, any, 16\]; expected float or float16 \[any, 2/,
    ],
    [
      "a cache of whole numbers",
      [ids, ...cache("past_key_values", INT64)],
      outputs,
      /of int64; expected float or float16/,
    ],
    [
      "caches of two types",
      [ids, ...cache("past_key_values", FLOAT).slice(1), value("past_key_values.0.key", F16)],
      outputs,
      /of float; expected float16/,
    ],
    [
      "what is no tensor",
      [...without("input_ids"), value("input_ids", undefined)],
      outputs,
      /a type that is no tensor/,
    ],
    ["no logits", inputs, outputs.slice(1), /no output logits/],
    [
      "another vocabulary",
      inputs,
      [value("logits", FLOAT, [undefined, undefined, 999]), ...outputs.slice(1)],
      /999.*; expected .*1000/,
    ],
    ["logits of whole numbers", inputs, [value("logits", INT64), ...outputs.slice(1)], /logits of int64/],
    ["no cache to go on with", inputs, outputs.slice(0, -1), /no output present\.1\.value/],
  ])("%s are refused by name", (_, given, made, message) => {
    expect(() => cacheShapeOf({ inputs: given, outputs: made }, SPEC, "m.onnx")).toThrow(message);
    expect(() => cacheShapeOf({ inputs: given, outputs: made }, SPEC, "m.onnx")).toThrow(/^m\.onnx: found \P{Cc}+$/u);
  });

  it.skipIf(!hasData("onnx"))(titleWithData("real models of another form say which", "onnx"), () => {
    const summary = (path: string) => readOnnxModel(readData(`onnx/${path}`), path);
    expect(() => cacheShapeOf(summary("tiny-gqa-qwen2type/decoder.onnx"), SPEC, "m")).toThrow("input_ids of int32");
    expect(() => cacheShapeOf(summary("tiny-random-gpt2-fp32/past.onnx"), SPEC, "m")).toThrow('an input "past_0"');
  });
});

describe("a graph's weights", () => {
  const weights = (name: string, type: number, bytes: ArrayBuffer, external: boolean) => {
    const raw = new Uint8Array(bytes);
    const dims = [raw.length / (type === FLOAT ? 4 : 2)];
    const data = new Uint8Array([9, 9, 9, ...raw]);
    const place = external ? { external: { location: "w", offset: "3" } } : { raw };
    const graph = buildOnnx({ tensors: [{ name, type, dims, ...place }] });
    return { graph, summary: readOnnxModel(graph, "m"), external: external ? [{ path: "w", data }] : [] };
  };
  const f32 = (...values: number[]): ArrayBuffer => Float32Array.from(values).buffer;
  const u16 = (...values: number[]): ArrayBuffer => Uint16Array.from(values).buffer;

  it.each([
    ["NaN", FLOAT, f32(1, Number.NaN, 3)],
    ["infinity", FLOAT, f32(1, 2, Infinity)],
    ["a half that is NaN", F16, u16(0x3c00, 0x7e01)],
    ["a half that is infinite", F16, u16(0x7c00)],
    ["a bfloat16 that is NaN", 16, u16(0x3f80, 0x7fc0, 0)],
  ])("with %s are refused by the tensor's name, here and in another file", (_, type, bytes) => {
    for (const external of [false, true]) {
      expect(() => requireFiniteWeights(weights("layers.0.w", type, bytes, external))).toThrow('tensor "layers.0.w"');
    }
  });

  it("may be minus infinity, of which masks are made, and any whole numbers", () => {
    for (const external of [false, true]) {
      const look =
        (...args: [string, number, ArrayBuffer]) =>
        () =>
          requireFiniteWeights(weights(...args, external));
      expect(look("mask", FLOAT, f32(0, -Infinity))).not.toThrow();
      expect(look("w", FLOAT, f32(0, 3.4e38))).not.toThrow();
      expect(look("w", 4, u16(0x7c00, 0x7e01))).not.toThrow();
    }
  });
});
