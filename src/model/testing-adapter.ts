import { buildSafetensors, memoryFolder } from "../checkpoint/testing.ts";
import type { MemoryFolder, TestTensor } from "../checkpoint/testing.ts";
import type { ModelSpec } from "./spec.ts";
import { loraTargets } from "./training/lora.ts";

/** Values that depend on the seed alone, about 0.1 in size. */
export function noise(length: number, seed: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length }, (_, i) => Math.fround(0.1 * Math.sin(seed * 12.9898 + i * 78.233 + 1)));
}

export const WRAPPER = "base_model.model.";

/** `adapter_config.json` with a LoRA adapter's usual fields, and others in their place. */
export function adapterJson(changes: Readonly<Record<string, unknown>> = {}): string {
  const usual = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    r: 4,
    lora_alpha: 8,
    bias: "none",
    target_modules: ["q_proj"],
  };
  return JSON.stringify({ ...usual, ...changes });
}

/** A and B of a layer's module. */
export function pairTensors(spec: ModelSpec, layer: number, module: string, rank: number): Record<string, TestTensor> {
  const target = loraTargets(spec)[module];
  if (!target) throw new Error(`no module ${module}`);
  const { path, rows, k, column } = target;
  const name = `${WRAPPER}model.layers.${layer}.${path}.lora_`;
  const seed = layer * 1000 + column;
  return {
    [`${name}A.weight`]: { dtype: "F32", shape: [rank, k], data: noise(rank * k, seed + 1) },
    [`${name}B.weight`]: { dtype: "F32", shape: [rows, rank], data: noise(rows * rank, seed + 2) },
  };
}

export function adapterFolder(
  config: Readonly<Record<string, unknown>>,
  tensors: Readonly<Record<string, TestTensor>>,
): MemoryFolder {
  return memoryFolder({
    "adapter_config.json": adapterJson(config),
    "adapter_model.safetensors": buildSafetensors(tensors),
  });
}
