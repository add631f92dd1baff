import type { InferenceSession } from "onnxruntime-web/wasm";
import { R1Error } from "../errors.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { CacheShape } from "./cache-block.ts";

/** Of how many of the last positions newer exports compute logits. */
export const LOGITS_TO_KEEP = "num_logits_to_keep";
const PLAIN_INPUTS = new Set(["input_ids", "attention_mask", "position_ids", LOGITS_TO_KEEP]);
const CACHE_INPUT = /^past_key_values\.\d+\.(?:key|value)$/;

/** `present.0.key` for `past_key_values.0.key`. */
export function presentName(past: string): string {
  return past.replace("past_key_values", "present");
}

/**
 * The cache of a decoder in onnx-community's form.
 * @throws R1Error E_FORMAT for a graph with other inputs or outputs
 */
export function cacheShapeOf(
  { inputNames, outputNames, inputMetadata }: InferenceSession,
  { kvHeads, headDim, layers }: ModelSpec,
  file: string,
): CacheShape {
  const names = inputNames.filter((name) => CACHE_INPUT.test(name));
  const strange = inputNames.find((name) => !PLAIN_INPUTS.has(name) && !CACHE_INPUT.test(name));
  const missing = ["logits", ...names.map(presentName)].find((name) => !outputNames.includes(name));
  const refuse = (found: string, expected: string): never => {
    throw new R1Error("E_FORMAT", `${file}: found ${found}; expected ${expected}`, { file });
  };
  if (!inputNames.includes("input_ids")) refuse("no input input_ids", "a decoder as onnx-community exports it");
  if (strange !== undefined) {
    refuse(`an input ${strange.slice(0, 64)}`, `${[...PLAIN_INPUTS].join(", ")} and past_key_values.{i}.{key,value}`);
  }
  if (missing !== undefined) refuse(`no output ${missing}`, "logits and present.{i}.{key,value}");
  if (names.length !== 2 * layers) refuse(`${names.length} cache inputs`, `${2 * layers} for ${layers} layers`);
  const types = new Set(inputMetadata.flatMap((one) => (CACHE_INPUT.test(one.name) && one.isTensor ? [one.type] : [])));
  const [type] = types;
  if (types.size !== 1 || (type !== "float32" && type !== "float16")) {
    return refuse(`a cache of type ${[...types].join(", ")}`, "float32 or float16");
  }
  return { names, type, kvHeads, headDim };
}
