import { partialBytes } from "../kernels/attention/attention.ts";
import { quantizerBytes } from "../kernels/quantize/quantize.ts";
import { RESULT_BYTES, samplerBytes } from "../kernels/sample/sample.ts";
import { layoutOf } from "../kernels/weights/format.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { uniformFormats } from "./model-formats.ts";
import type { ModelFormats } from "./model-formats.ts";
import { sessionBytes } from "./session-buffers.ts";
import type { SessionSizes } from "./session-buffers.ts";
import type { ModelSpec } from "./spec.ts";
import { matrixBytes, meanBits, planWeights } from "./weight-plan.ts";

/** Bytes on the GPU, by what they are for. */
export interface MemoryPlan {
  readonly weights: number;
  readonly kvCache: number;
  /** Activations, logits, rotary table, sampler, attention's partial results. */
  readonly workspace: number;
  /** Only while weights are being quantized, before cache and workspace are there. */
  readonly staging: number;
  /** Once loaded. */
  readonly total: number;
  /** The most at any time. */
  readonly peak: number;
}

/** What the plan is held against. */
export interface MemoryBudget extends BufferLimits {
  /** Bytes that the model may take; undefined where nothing is known. */
  readonly memoryBytes?: number | undefined;
}

/** How a model is to be run. */
export interface MemoryRequest {
  readonly format: WeightFormat;
  /** In place of `format`: the matrices as they are in a known file. An offer without it is one of conversion to `format`. */
  readonly stored?: ModelFormats | undefined;
  /** Tokens of each sequence. */
  readonly contextTokens: number;
  /** Sequences at a time. */
  readonly batch: number;
  readonly kv: "f32" | "f16";
}

/** Why something does not fit: `bytes` are needed at once, of which there are `limit`. */
export interface Shortfall {
  readonly kind: "memory" | "kv-buffer" | "workspace-buffer" | "context";
  readonly bytes: number;
  readonly limit: number;
}

export interface MemoryOffer {
  readonly request: MemoryRequest;
  readonly plan: MemoryPlan;
}

/** Whether a request fits, and if it does not, why, and the largest that does. */
export type MemoryVerdict = MemoryOffer &
  (
    | { readonly fits: true }
    | { readonly fits: false; readonly reason: Shortfall; readonly offer: MemoryOffer | undefined }
  );

/** Prompt tokens at a time; more make no GPU faster, and cost workspace. */
export const PREFILL_ROWS = 256;
/** Below this a context is of no use for thinking. */
const LEAST_CONTEXT = 512;
const CONTEXT_STEP = 256;
/** Formats that a model may be offered in, largest first. */
const OFFERED: readonly WeightFormat[] = ["f32", "f16", "bf16", "q8", "q4"];
/** `Op` uniform of a product or the embedding, and of a norm. */
const PRODUCT_OP_BYTES = 64;
const EMBEDDING_OP_BYTES = 32;
const NORM_OP_BYTES = 16;
const SHARED_OP_BYTES = 32;

/** The session that a request comes to. */
export function sizesOf({ contextTokens, batch, kv }: MemoryRequest): SessionSizes {
  return {
    maxSequences: batch,
    contextTokens,
    kvTokens: batch * contextTokens,
    prefillRows: Math.min(PREFILL_ROWS, contextTokens),
    kv,
  };
}

/**
 * Bytes that a model takes, computed from what the loader and the session allocate.
 * @param format of all matrices, or of each as a file has them; vectors are f32
 * @throws R1Error E_LIMIT for a model of which not even a few rows of a matrix fit a binding
 */
export function planMemory(
  spec: ModelSpec,
  format: WeightFormat | ModelFormats,
  sizes: SessionSizes,
  limits: BufferLimits,
): MemoryPlan {
  const { layers } = spec;
  const formats = typeof format === "string" ? uniformFormats(spec, format) : format;
  const planned = planWeights(spec, formats, limits);
  const weights = matrixBytes(planned) + planned.vectors;
  const { kv, ...buffers } = sessionBytes(spec, sizes);
  const partials = partialBytes(spec, sizes.maxSequences);
  const uniforms =
    planned.productChunks * PRODUCT_OP_BYTES +
    planned.embeddingChunks * EMBEDDING_OP_BYTES +
    (2 * layers + 1) * NORM_OP_BYTES +
    SHARED_OP_BYTES;
  const workspace =
    sum(Object.values(buffers)) +
    partials.outputs +
    partials.maxima +
    samplerBytes(sizes.maxSequences, spec.vocabSize) +
    2 * sizes.maxSequences * RESULT_BYTES +
    uniforms;
  const kvCache = layers * kv;
  const staging = planned.quantizes ? quantizerBytes() : 0;
  const total = weights + kvCache + workspace;
  return { weights, kvCache, workspace, staging, total, peak: Math.max(total, weights + staging) };
}

/** Holds a request against a device, and looks for a smaller one where it does not fit. */
export function judgeMemory(spec: ModelSpec, request: MemoryRequest, budget: MemoryBudget): MemoryVerdict {
  const plan = planMemory(spec, request.stored ?? request.format, sizesOf(request), budget);
  const reason = shortfall(spec, request, plan, budget);
  if (!reason) return { fits: true, request, plan };
  return { fits: false, request, plan, reason, offer: offerFor(spec, request, budget) };
}

function shortfall(
  spec: ModelSpec,
  request: MemoryRequest,
  plan: MemoryPlan,
  budget: MemoryBudget,
): Shortfall | undefined {
  if (request.contextTokens > spec.maxPositions) {
    return { kind: "context", bytes: request.contextTokens, limit: spec.maxPositions };
  }
  const limit = Math.min(budget.maxBufferSize, budget.maxStorageBufferBindingSize);
  const { kv, ...buffers } = sessionBytes(spec, sizesOf(request));
  if (kv > limit) return { kind: "kv-buffer", bytes: kv, limit };
  const { outputs } = partialBytes(spec, request.batch);
  const largest = Math.max(outputs, ...Object.values(buffers));
  if (largest > limit) return { kind: "workspace-buffer", bytes: largest, limit };
  const { memoryBytes } = budget;
  if (memoryBytes !== undefined && plan.peak > memoryBytes) {
    return { kind: "memory", bytes: plan.peak, limit: memoryBytes };
  }
  return undefined;
}

/**
 * The largest format in which the whole context fits; where it fits in none, the smallest format with the longest context
 * that does. Fewer sequences are offered last.
 */
function offerFor(spec: ModelSpec, request: MemoryRequest, budget: MemoryBudget): MemoryOffer | undefined {
  const bits = (format: WeightFormat): number => layoutOf(format).bitsPerWeight;
  // To lose precision for less than a bit a weight would be a poor offer.
  const now = request.stored ? Math.round(meanBits(spec, request.stored)) : bits(request.format);
  const smaller = OFFERED.filter((format) => bits(format) < now).map((format) => ({ format, stored: undefined }));
  const smallest = smaller.at(-1) ?? {};
  const longest = Math.min(request.contextTokens, spec.maxPositions);
  const shorter = (batch: number): MemoryRequest[] =>
    contextsBelow(longest).map((contextTokens) => ({ ...request, ...smallest, contextTokens, batch }));
  const candidates: readonly MemoryRequest[] = [
    ...[{}, ...smaller].map((format) => ({ ...request, ...format, contextTokens: longest })),
    ...shorter(request.batch),
    ...(request.batch > 1 ? [{ ...request, ...smallest, contextTokens: longest, batch: 1 }, ...shorter(1)] : []),
  ];
  for (const candidate of candidates) {
    const plan = planMemory(spec, candidate.stored ?? candidate.format, sizesOf(candidate), budget);
    if (!shortfall(spec, candidate, plan, budget)) return { request: candidate, plan };
  }
  return undefined;
}

/** Contexts to try, longest first. */
function contextsBelow(longest: number): number[] {
  const first = Math.floor((longest - 1) / CONTEXT_STEP);
  return Array.from({ length: Math.max(0, first) }, (_, i) => (first - i) * CONTEXT_STEP).filter(
    (context) => context >= LEAST_CONTEXT,
  );
}

const GIB = 2 ** 30;

/**
 * What a model may take of a machine's memory, from what a browser tells: WebGPU itself says nothing about it.
 * @param deviceMemoryGiB `navigator.deviceMemory`: rounded down to a power of two and at most 8 in most browsers
 */
export function memoryGuess(deviceMemoryGiB: number | undefined): number | undefined {
  // Half of it: the browser, the system and a driver's copies need the rest.
  return deviceMemoryGiB === undefined ? undefined : (deviceMemoryGiB * GIB) / 2;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
