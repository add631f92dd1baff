import { R1Error } from "../../errors.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint.ts";
import { quote } from "../quote.ts";
import type { AdapterConfig } from "./config.ts";
import { ADAPTER_WEIGHTS } from "./config.ts";

/** A and B of one module. Of a linear layer A is [r, in] and B [out, r]; of the embedding A is [r, vocabulary], B [hidden, r]. */
export interface AdapterPair {
  readonly a: CheckpointTensor;
  readonly b: CheckpointTensor;
  readonly isEmbedding: boolean;
}

/** The tensors of `adapter_model.safetensors` by what they are for. */
export interface SortedTensors {
  /** By module, `model.layers.0.self_attn.q_proj`. */
  readonly pairs: ReadonlyMap<string, AdapterPair>;
  /** Tensors that stand in the place of the model's, by the model's name. */
  readonly replaced: ReadonlyMap<string, CheckpointTensor>;
}

/** PEFT's names for what is around the model. */
const WRAPPER = "base_model.model.";
const PART = /^(?<module>.+)\.lora_(?:(?<linear>[AB])\.weight|embedding_(?<embedding>[AB]))$/;
const PLAIN = /^(?<module>.+?)(?:\.base_layer)?\.(?<kind>weight|bias)$/;
/** Of the embedding and the output projection, which PEFT saves whole where one of them is adapted or was made larger. */
const SAVED_WITH_EMBEDDING: ReadonlySet<string> = new Set(["model.embed_tokens", "lm_head"]);

/**
 * Sorts an adapter's tensors, and holds each against the configuration: none may be left that nothing uses.
 * @throws R1Error E_FORMAT naming the tensor that is not an adapter's, is for a module without an adapter, or has no
 *   counterpart
 */
export function sortAdapterTensors(checkpoint: Checkpoint, config: AdapterConfig): SortedTensors {
  const parts = new Map<string, Partial<Record<"A" | "B" | "embedding_A" | "embedding_B", CheckpointTensor>>>();
  const replaced = new Map<string, CheckpointTensor>();
  for (const tensor of checkpoint.tensors.values()) {
    const name = tensor.name.startsWith(WRAPPER) ? tensor.name.slice(WRAPPER.length) : tensor.name;
    const part = PART.exec(name)?.groups;
    if (part) {
      const { module = "", linear, embedding } = part;
      if (!config.adapts(module)) {
        throw wrong(tensor, "target_modules (with exclude_modules and layers_to_transform) do not name its module");
      }
      const own = parts.get(module) ?? {};
      const key = linear === "A" || linear === "B" ? linear : embedding === "A" ? "embedding_A" : "embedding_B";
      if (own[key]) throw wrong(tensor, `it is there twice, as ${quote(own[key].name)} too`);
      parts.set(module, { ...own, [key]: tensor });
      continue;
    }
    const plain = PLAIN.exec(name)?.groups;
    const module = plain?.["module"] ?? "";
    const isBias = plain?.["kind"] === "bias";
    const wanted = plain && (isBias && wantsBias(config, module) ? true : replacesWhole(config, module));
    if (!wanted) {
      const use = isBias ? `bias is ${config.bias}` : "modules_to_save does not name its module";
      throw wrong(tensor, plain ? use : "expected lora_A and lora_B of linear layers");
    }
    const target = `${module}.${isBias ? "bias" : "weight"}`;
    const other = replaced.get(target);
    if (other) throw wrong(tensor, `it is there twice, as ${quote(other.name)} too`);
    replaced.set(target, tensor);
  }
  const pairs = new Map<string, AdapterPair>();
  for (const [module, { A, B, embedding_A, embedding_B }] of parts) {
    const [a, b] = [A ?? embedding_A, B ?? embedding_B];
    if (!a || !b) throw wrong(a ?? b, `there is no lora_${a ? "B" : "A"} of its module`);
    if ((A === undefined) !== (B === undefined)) throw wrong(a, "its counterpart is not of the same kind");
    if (A && embedding_A) throw wrong(A, "its module has an embedding's adapter too");
    pairs.set(module, { a, b, isEmbedding: A === undefined });
  }
  return { pairs, replaced };
}

function wantsBias({ bias, adapts }: AdapterConfig, module: string): boolean {
  return bias === "all" || (bias === "lora_only" && adapts(module));
}

function replacesWhole({ replaces }: AdapterConfig, module: string): boolean {
  return replaces(module) || SAVED_WITH_EMBEDDING.has(module);
}

function wrong(tensor: CheckpointTensor | undefined, why: string): R1Error {
  const { name = "", shape = [] } = tensor ?? {};
  return new R1Error("E_FORMAT", `${ADAPTER_WEIGHTS}: tensor ${quote(name)} [${shape.join(", ")}]: ${why}`, {
    tensor: name,
  });
}

/**
 * Checks a linear layer's pair against its rank.
 * @throws R1Error E_FORMAT naming the tensor
 */
export function checkPairRank({ a, b }: AdapterPair, rank: number): void {
  for (const [tensor, at, form] of [[a, 0, `[${rank}, in]`] as const, [b, 1, `[out, ${rank}]`] as const]) {
    if (tensor.shape.length === 2 && tensor.shape[at] === rank) continue;
    throw wrong(tensor, `its rank makes it ${form}`);
  }
}
