import type { OnnxModelSummary, OnnxValueInfo } from "../checkpoint/onnx/model.ts";
import { ONNX_DTYPES } from "../checkpoint/onnx/tensor.ts";
import { quote } from "../checkpoint/quote.ts";
import { R1Error } from "../errors.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { CacheShape } from "./cache-block.ts";

/** Of how many of the last positions newer exports compute logits. */
export const LOGITS_TO_KEEP = "num_logits_to_keep";
const PLAIN_INPUTS = ["input_ids", "attention_mask", "position_ids", LOGITS_TO_KEEP];
const CACHE_INPUT = /^past_key_values\.\d+\.(?:key|value)$/;
const INT64 = 7;
const FLOATS: Readonly<Record<number, CacheShape["type"]>> = { 1: "float32", 10: "float16" };

/** `present.0.key` for `past_key_values.0.key`. */
export function presentName(past: string): string {
  return past.replace("past_key_values", "present");
}

/**
 * The cache of a decoder in onnx-community's form, whose inputs and outputs are those that a session feeds and fetches, in
 * their types and sizes.
 * @throws R1Error E_FORMAT for a graph with other inputs or outputs
 */
export function cacheShapeOf(
  { inputs, outputs }: Pick<OnnxModelSummary, "inputs" | "outputs">,
  { kvHeads, headDim, layers, vocabSize }: ModelSpec,
  file: string,
): CacheShape {
  const refuse = (found: string, expected: string): never => {
    throw new R1Error("E_FORMAT", `${file}: found ${found}; expected ${expected}`, { file });
  };
  const check = (
    kind: "input" | "output",
    values: ReadonlyMap<string, OnnxValueInfo>,
    name: string,
    types: readonly number[],
    sizes: readonly (number | undefined)[],
  ): OnnxValueInfo => {
    const value = values.get(name) ?? refuse(`no ${kind} ${name}`, "a decoder as onnx-community exports it");
    const { type, shape } = value;
    const expected = `${types.map((one) => ONNX_DTYPES[one]?.[0]).join(" or ")} [${sizes.map((size) => size ?? "any").join(", ")}]`;
    if (type === undefined || !types.includes(type)) {
      refuse(`${kind} ${name} of ${ONNX_DTYPES[type ?? 0]?.[0] ?? "a type that is no tensor"}`, expected);
    }
    const isRight =
      shape?.length === sizes.length && shape.every((size, i) => (size ?? sizes[i]) === (sizes[i] ?? size));
    if (shape && !isRight) refuse(`${kind} ${name} [${shape.map((size) => size ?? "any").join(", ")}]`, expected);
    return value;
  };
  const given = new Map(inputs.map((value) => [value.name, value]));
  const made = new Map(outputs.map((value) => [value.name, value]));
  const strange = inputs.find(({ name }) => !PLAIN_INPUTS.includes(name) && !CACHE_INPUT.test(name));
  if (strange) {
    refuse(`an input ${quote(strange.name)}`, `${PLAIN_INPUTS.join(", ")} and past_key_values.{i}.{key,value}`);
  }
  check("input", given, "input_ids", [INT64], [undefined, undefined]);
  for (const name of ["attention_mask", "position_ids"]) {
    if (given.has(name)) check("input", given, name, [INT64], [undefined, undefined]);
  }
  // Some exporters write a single number with a shape of [1].
  if (given.has(LOGITS_TO_KEEP)) {
    const { shape = [] } = given.get(LOGITS_TO_KEEP) ?? {};
    check("input", given, LOGITS_TO_KEEP, [INT64], shape.length === 0 ? [] : [1]);
  }
  const count = inputs.filter(({ name }) => CACHE_INPUT.test(name)).length;
  if (count !== 2 * layers) refuse(`${count} cache inputs`, `${2 * layers} for ${layers} layers`);
  const names = Array.from({ length: layers }, (_, i) => [
    `past_key_values.${i}.key`,
    `past_key_values.${i}.value`,
  ]).flat();
  const cacheSizes = [undefined, kvHeads, undefined, headDim];
  const floats = Object.keys(FLOATS).map(Number);
  const [first = ""] = names;
  const { type = 0 } = check("input", given, first, floats, cacheSizes);
  for (const name of names) {
    check("input", given, name, [type], cacheSizes);
    check("output", made, presentName(name), [type], cacheSizes);
  }
  check("output", made, "logits", floats, [undefined, undefined, vocabSize]);
  return { names, type: FLOATS[type] ?? "float32", kvHeads, headDim };
}
