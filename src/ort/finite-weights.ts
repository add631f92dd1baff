import { firstNotFinite, requireFinite } from "../checkpoint/finite.ts";
import type { FloatDtype } from "../checkpoint/floats.ts";
import type { OnnxBytes } from "./onnx-files.ts";

const FLOAT_DTYPES: Readonly<Record<number, FloatDtype>> = { 1: "F32", 10: "F16", 16: "BF16" };

/**
 * Looks at a graph's float weights, scales of quantized ones included, at some gigabytes a second. Minus infinity is what
 * masks are made of, so a tensor that holds it is left alone.
 * @throws R1Error E_NOT_FINITE naming the tensor
 */
export function requireFiniteWeights({
  graph,
  summary,
  external,
}: Pick<OnnxBytes, "graph" | "summary" | "external">): void {
  const files = new Map(external.map(({ path, data }) => [path, data]));
  for (const { name, type, dims, raw, external: place } of summary.tensors) {
    const dtype = FLOAT_DTYPES[type];
    const bytes = place
      ? files.get(place.location)?.subarray(place.offset, place.offset + place.length)
      : raw && graph.subarray(...raw);
    if (!dtype || !bytes) continue;
    const found = firstNotFinite(dtype, bytes);
    if (found && found.value !== -Infinity) requireFinite({ name, shape: dims }, dtype, bytes);
  }
}
