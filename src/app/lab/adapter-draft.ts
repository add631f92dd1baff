import { FROZEN_FORMATS, LORA_TARGET_MODULES } from "../../train/config/shared.ts";
import type { DraftConfig } from "./presets.ts";

/** An adapter as the form holds it; what it holds need not be right yet. */
export type AdapterDraft = Readonly<Record<"r" | "lora_alpha" | "target_modules" | "lora_dropout", unknown>>;

/** A rank that fits WebGPU's guaranteed buffers for a model of 1.5 billion parameters, scaled by 2 as is usual. */
export const FIRST_ADAPTER: AdapterDraft = {
  r: 16,
  lora_alpha: 32,
  target_modules: [...LORA_TARGET_MODULES],
  lora_dropout: 0,
};

export { FROZEN_FORMATS, LORA_TARGET_MODULES };

/** The adapter of a draft; undefined where all weights are trained. */
export function adapterOf({ lora }: DraftConfig): AdapterDraft | undefined {
  if (typeof lora !== "object" || lora === null) return undefined;
  return { ...FIRST_ADAPTER, ...lora };
}

/** The modules that an adapter names, in the model's order. */
export function modulesOf({ target_modules }: AdapterDraft): readonly string[] {
  const named: readonly unknown[] = Array.isArray(target_modules) ? target_modules : [];
  return LORA_TARGET_MODULES.filter((name) => named.includes(name));
}

/**
 * A draft that trains an adapter, or all weights.
 * @param usual what the preset says where an adapter allows nothing else
 */
export function withAdapter(config: DraftConfig, adapter: AdapterDraft | null, usual: DraftConfig): DraftConfig {
  return adapter
    ? // Its reference is the model without it, which does not change.
      { ...config, lora: adapter, sync_ref_model: false }
    : { ...config, lora: null, weights: null, sync_ref_model: usual["sync_ref_model"] };
}
