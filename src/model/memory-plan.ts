import { partialBytes } from "../kernels/attention/attention.ts";
import { PRODUCT_OP_BYTES } from "../kernels/matmul/op.ts";
import { quantizerBytes } from "../kernels/quantize/quantize.ts";
import { RESULT_BYTES, samplerBytes } from "../kernels/sample/sample.ts";
import { layoutOf } from "../kernels/weights/format.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { bufferShortfall, kvFormats } from "./kv-format.ts";
import type { BufferShortfall, KvChoice } from "./kv-format.ts";
import { formatsFor } from "./model-formats.ts";
import type { ModelFormats, WeightChoice } from "./model-formats.ts";
import { sessionBytes } from "./session-buffers.ts";
import type { KvFormat, SessionSizes } from "./session-buffers.ts";
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
  readonly kv: KvFormat;
  /** Of weights whose files are not there yet, as what is known of them tells; else it is computed. */
  readonly weightBytes?: number | undefined;
}

/** A request that may leave the cache's format open. */
export type MemoryWish = Omit<MemoryRequest, "kv"> & { readonly kv: KvChoice };

/** Why something does not fit: `bytes` are needed at once, of which there are `limit`. */
export interface Shortfall {
  readonly kind: "memory" | "context" | BufferShortfall["kind"];
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
/** `Op` uniform of the embedding, and of a norm. */
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
  format: WeightChoice,
  sizes: SessionSizes,
  limits: BufferLimits,
): MemoryPlan {
  const { layers } = spec;
  const planned = planWeights(spec, formatsFor(spec, format), limits);
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
export function judgeMemory(spec: ModelSpec, wish: MemoryWish, budget: MemoryBudget): MemoryVerdict {
  const [request, ...others] = inFormats(spec, wish);
  const plan = planRequest(spec, request, budget);
  const reason = shortfall(spec, request, plan, budget);
  if (!reason) return { fits: true, request, plan };
  const other = firstThatFits(spec, others, budget);
  if (other) return { fits: true, ...other };
  return { fits: false, request, plan, reason, offer: offerFor(spec, wish, budget) };
}

/** A wish in each format that its cache may have, the preferred one first. */
function inFormats(spec: ModelSpec, wish: MemoryWish): readonly [MemoryRequest, ...MemoryRequest[]] {
  const [first, ...others] = kvFormats(spec, wish.contextTokens, wish.kv);
  return [{ ...wish, kv: first }, ...others.map((kv) => ({ ...wish, kv }))];
}

function firstThatFits(
  spec: ModelSpec,
  candidates: readonly MemoryRequest[],
  budget: MemoryBudget,
): MemoryOffer | undefined {
  for (const request of candidates) {
    const plan = planRequest(spec, request, budget);
    if (!shortfall(spec, request, plan, budget)) return { request, plan };
  }
  return undefined;
}

/** Why a wish does not fit; undefined where it does. */
export function lacking(spec: ModelSpec, wish: MemoryWish, budget: MemoryBudget): Shortfall | undefined {
  const requests = inFormats(spec, wish);
  if (firstThatFits(spec, requests, budget)) return undefined;
  const [request] = requests;
  return shortfall(spec, request, planRequest(spec, request, budget), budget);
}

function planRequest(spec: ModelSpec, request: MemoryRequest, limits: BufferLimits): MemoryPlan {
  const plan = planMemory(spec, request.stored ?? request.format, sizesOf(request), limits);
  const { weightBytes: weights } = request;
  if (weights === undefined) return plan;
  const total = plan.total - plan.weights + weights;
  return { ...plan, weights, total, peak: Math.max(total, weights + plan.staging) };
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
  const buffer = bufferShortfall(spec, sizesOf(request), budget);
  if (buffer) return buffer;
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
function offerFor(spec: ModelSpec, request: MemoryWish, budget: MemoryBudget): MemoryOffer | undefined {
  const bits = (format: WeightFormat): number => layoutOf(format).bitsPerWeight;
  // To lose precision for less than a bit a weight would be a poor offer.
  const now = request.stored ? Math.round(meanBits(spec, request.stored)) : bits(request.format);
  const smaller = OFFERED.filter((format) => bits(format) < now).map((format) => ({
    format,
    stored: undefined,
    weightBytes: undefined,
  }));
  const smallest = smaller.at(-1) ?? {};
  const longest = Math.min(request.contextTokens, spec.maxPositions);
  const shorter = (batch: number): MemoryWish[] =>
    contextsBelow(longest).map((contextTokens) => ({ ...request, ...smallest, contextTokens, batch }));
  const candidates: readonly MemoryWish[] = [
    ...[{}, ...smaller].map((format) => ({ ...request, ...format, contextTokens: longest })),
    ...shorter(request.batch),
    ...(request.batch > 1 ? [{ ...request, ...smallest, contextTokens: longest, batch: 1 }, ...shorter(1)] : []),
  ];
  return firstThatFits(
    spec,
    candidates.flatMap((candidate) => inFormats(spec, candidate)),
    budget,
  );
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
