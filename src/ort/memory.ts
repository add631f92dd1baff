import { computesInF16 } from "../checkpoint/onnx/variants.ts";
import type { OnnxVariant } from "../checkpoint/onnx/variants.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import type { MemoryPlan, Shortfall } from "../model/memory-plan.ts";
import type { ModelSpec } from "../model/spec.ts";
import { MOST_LOGITS } from "./load.ts";
import { MOST_BYTES } from "./onnx-files.ts";
import type { OrtProvider } from "./runtime.ts";

/** What ONNX Runtime takes for a graph, about: its arena is its own. */
export interface OrtRequest {
  readonly variant: OnnxVariant;
  /** Of the graph with its weights. */
  readonly bytes: number;
  readonly contextTokens: number;
  readonly batch: number;
  readonly prefillRows: number;
}

/**
 * Why a graph does not fit: beside what `Shortfall` says, a matrix, the 4 GiB that WebAssembly addresses, or arithmetic that
 * the device does not have.
 */
export type OrtShortfall = Omit<Shortfall, "kind"> & {
  readonly kind: Shortfall["kind"] | "weights-buffer" | "process" | "feature";
};

/** What a graph is held against. */
export interface OrtBudget {
  /** The graphics device's, where there is one. */
  readonly limits: BufferLimits | undefined;
  readonly memoryBytes: number | undefined;
}

/** WebAssembly's addresses are of 32 bits. */
const PROCESS_BYTES = 2 ** 32;

/** Bytes of a cached number or of one in the embedding. */
function numberBytes(variant: OnnxVariant): number {
  return computesInF16(variant) ? 2 : 4;
}

export function planOrt(spec: ModelSpec, request: OrtRequest): MemoryPlan {
  const { variant, bytes, contextTokens, batch, prefillRows } = request;
  const row = 2 * spec.layers * spec.kvHeads * spec.headDim * numberBytes(variant);
  // A step reads one cache and writes the next.
  const kvCache = 2 * row * contextTokens * batch;
  const workspace = Math.max(batch, Math.min(prefillRows, MOST_LOGITS / spec.vocabSize)) * spec.vocabSize * 4;
  const total = bytes + kvCache + workspace;
  // While a graph is loaded its bytes are there twice: as they were read, and as the runtime has them.
  return { weights: bytes, kvCache, workspace, staging: bytes, total, peak: Math.max(total, 2 * bytes) };
}

/** Why a graph does not fit; undefined where it does. */
export function lackingInOrt(
  spec: ModelSpec,
  request: OrtRequest,
  provider: OrtProvider["name"],
  { limits, memoryBytes }: OrtBudget,
): OrtShortfall | undefined {
  const { weights, total, peak } = planOrt(spec, request);
  if (request.contextTokens > spec.maxPositions) {
    return { kind: "context", bytes: request.contextTokens, limit: spec.maxPositions };
  }
  if (weights > MOST_BYTES) return { kind: "process", bytes: weights, limit: MOST_BYTES };
  if (provider === "wasm" && total > PROCESS_BYTES) return { kind: "process", bytes: total, limit: PROCESS_BYTES };
  if (provider === "webgpu" && limits) {
    const limit = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
    // Its matrices are not split; the embedding is the largest, and is in no variant quantized.
    const embedding = spec.vocabSize * spec.hiddenSize * numberBytes(request.variant);
    if (embedding > limit) return { kind: "weights-buffer", bytes: embedding, limit };
  }
  if (memoryBytes !== undefined && peak > memoryBytes) return { kind: "memory", bytes: peak, limit: memoryBytes };
  return undefined;
}
