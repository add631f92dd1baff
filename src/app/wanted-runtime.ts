import type { LoadRequest } from "../engine/protocol.ts";

const RUNTIMES = ["webgpu", "onnx-webgpu", "onnx-wasm"] as const;

/**
 * Who is to compute the model: `?runtime=webgpu` before the page's `#` holds it to one, for comparisons.
 * @param search `location.search`
 */
export function wantedRuntime(search: string): NonNullable<LoadRequest["runtime"]> {
  const wanted = new URLSearchParams(search).get("runtime");
  return RUNTIMES.find((name) => name === wanted) ?? "auto";
}
