import type { CatalogueForm, CatalogueModel } from "../../checkpoint/hub/catalogue.ts";

/** Context that a model is loaded with unless more is asked for. */
export const CONTEXT_TOKENS = 4096;
const CACHE_BYTES = 4;

/**
 * Bytes of graphics memory that a model of the catalogue takes: its weights, and the f32 cache of one conversation. The one
 * place for what the page says about memory before a download.
 */
export function memoryNeeded({ parameters, config }: CatalogueModel, { bitsPerWeight }: CatalogueForm): number {
  const headDim = config.hidden_size / config.num_attention_heads;
  const perToken = 2 * config.num_hidden_layers * config.num_key_value_heads * headDim * CACHE_BYTES;
  return (parameters * bitsPerWeight) / 8 + perToken * CONTEXT_TOKENS;
}
