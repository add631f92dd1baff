import type { GemmShape } from "../../kernels/gemm/source.ts";
import { ADAMW_BYTES } from "../../kernels/adamw/adamw.ts";
import { CROSS_ENTROPY_STATE_BYTES } from "../../kernels/cross-entropy/cross-entropy.ts";
import { GEMM_OP_BYTES } from "../../kernels/gemm/gemm.ts";
import { ADAPTED_OP_BYTES, PRODUCT_OP_BYTES } from "../../kernels/matmul/op.ts";
import { ACTIVATION_PAD, roundUp } from "../../kernels/weights/format.ts";
import type { BufferLimits } from "../../kernels/weights/matrix.ts";
import { partialBytes } from "../../kernels/attention/attention.ts";
import { planMemory } from "../memory-plan.ts";
import type { MemoryBudget } from "../memory-plan.ts";
import { adapterSessionBytes } from "../session-adapter.ts";
import { formatsFor } from "../model-formats.ts";
import type { WeightChoice } from "../model-formats.ts";
import { sessionBytes } from "../session-buffers.ts";
import type { SessionSizes } from "../session-buffers.ts";
import type { ModelSpec } from "../spec.ts";
import { splitModel } from "../weight-plan.ts";
import { gradientBytes, trainingBytes, vocabularyChunk } from "./buffers.ts";
import type { TrainingSizes } from "./buffers.ts";
import { adapterEntries, adapterTargets, loraLayout } from "./lora.ts";
import type { LoraOptions, LoraTarget } from "./lora.ts";
import { heldBytes, poolBytes } from "./parameters.ts";
import { weightEntries } from "./weight-parameters.ts";

/** How a model is trained: what is frozen, what is sampled at a time, what goes forward and back at a time. */
export interface TrainingRequest {
  readonly format: WeightChoice;
  /** Null for all weights, which are f32 then. */
  readonly lora: LoraOptions | null;
  /** Where the reference policy's probabilities come from: a second model, the same one without its adapter, or nowhere. */
  readonly reference: "copy" | "adapter-off" | "none";
  readonly sizes: TrainingSizes;
  /** Left out where nothing is sampled. */
  readonly session?: SessionSizes;
}

/** Bytes on the GPU while a model is trained, by what they are for. */
export interface TrainingPlanBytes {
  /** The model, once: rollouts, reference and updates read the same weights. */
  readonly weights: number;
  /** A second model, where all weights are trained and held to a reference. */
  readonly reference: number;
  /** What is trained: values, gradients, both moments, and the way back to the host. */
  readonly parameters: number;
  /** Of the group's rollouts. */
  readonly kvCache: number;
  /** Kept from the forward pass for the backward pass. */
  readonly activations: number;
  /** Logits of a chunk of the vocabulary, gradients of activations, the sampler's buffers. */
  readonly workspace: number;
  /** Only while weights are being quantized, before the rest is there. */
  readonly staging: number;
  readonly total: number;
  /** The most at any time. */
  readonly peak: number;
}

/** Why training does not fit: `bytes` are needed at once, of which there are `limit`. */
export interface TrainingShortfall {
  readonly kind: "memory" | "parameters-buffer" | "kv-buffer" | "workspace-buffer" | "context";
  readonly bytes: number;
  readonly limit: number;
}

const NORM_OP_BYTES = 16;
const ROPE_OP_BYTES = 32;
const OP_BYTES = 16;
const EMBEDDING_OP_BYTES = 32;
const COLUMN_SUM_OP_BYTES = 2 * OP_BYTES;
/** WebGPU's buffers here have at least so many. */
const LEAST_BUFFER = 16;

/**
 * Bytes that a run of training takes, computed from what the loader, the session and the trainer allocate.
 * @param shape of the products, which decides how large the gradients' partial sums are
 * @throws R1Error E_LIMIT for a model of which not even a few rows of a matrix fit a binding; E_OPTION for an impossible
 *   adapter
 */
export function planTrainingMemory(
  spec: ModelSpec,
  request: TrainingRequest,
  limits: BufferLimits,
  shape: GemmShape,
): TrainingPlanBytes {
  const { format, lora, reference, sizes, session } = request;
  const targets = lora ? adapterTargets(spec, lora) : [];
  const none: SessionSizes = { maxSequences: 0, contextTokens: 0, kvTokens: 0, prefillRows: 0, kv: "f32" };
  const model = planMemory(spec, format, session ?? none, limits);
  const parameters = heldBytes(parameterBytes(spec, lora), "all").total;
  const copy = reference === "copy" ? model.weights + heldBytes(parameterBytes(spec, null), "values").total : 0;
  const training = trainingBytes(spec, sizes);
  const kept = sizes.keepActivations ? spec.layers : 1;
  const low = lora ? sizes.maxTokens * roundUp(lora.r, ACTIVATION_PAD) * 4 : 0;
  const projections = new Set(targets.map(({ projection }) => projection)).size;
  const activations =
    (spec.layers + 1) * training.hidden +
    kept * sum(Object.values(training.layer)) +
    targets.length * (kept * low + (sizes.keepActivations ? 0 : spec.layers * LEAST_BUFFER)) +
    projections * spec.layers * low;
  const workspace =
    sum(Object.values(training.shared)) +
    sum(Object.values(gradientBytes(spec, sizes, shape))) +
    sizes.maxTokens * CROSS_ENTROPY_STATE_BYTES +
    ADAMW_BYTES +
    // The reference policy's plan has a pool without entries.
    (reference === "none" ? 0 : heldBytes(poolBytes([]), "values").total) +
    uniformBytes(spec, request, targets, limits) +
    (session ? model.workspace + adapterWorkspace(spec, session, lora, targets) : 0);
  const total = model.weights + copy + parameters + model.kvCache + activations + workspace;
  return {
    weights: model.weights,
    reference: copy,
    parameters,
    kvCache: model.kvCache,
    activations,
    workspace,
    staging: model.staging,
    total,
    peak: Math.max(total, model.weights + model.staging),
  };
}

/** What stands in the way of a request on a device; undefined for nothing. */
export function trainingShortfall(
  spec: ModelSpec,
  { lora, sizes, session }: TrainingRequest,
  { peak }: Pick<TrainingPlanBytes, "peak">,
  shape: GemmShape,
  budget: MemoryBudget,
): TrainingShortfall | undefined {
  if (session && session.contextTokens > spec.maxPositions) {
    return { kind: "context", bytes: session.contextTokens, limit: spec.maxPositions };
  }
  const limit = Math.min(budget.maxBufferSize, budget.maxStorageBufferBindingSize);
  const parameters = parameterBytes(spec, lora);
  if (parameters > limit) return { kind: "parameters-buffer", bytes: parameters, limit };
  const { kv = 0, ...sampling } = session
    ? sessionBytes(spec, session, lora ? adapterSessionBytes(spec, session, loraLayout(spec, lora)) : undefined)
    : {};
  if (kv > limit) return { kind: "kv-buffer", bytes: kv, limit };
  const training = trainingBytes(spec, sizes);
  const largest = Math.max(
    training.hidden,
    ...Object.values(training.layer),
    ...Object.values(training.shared),
    ...Object.values(gradientBytes(spec, sizes, shape)),
    ...Object.values(sampling),
    session ? partialBytes(spec, session.maxSequences).outputs : 0,
    session && lora ? adapterSessionBytes(spec, session, loraLayout(spec, lora)).gateUp : 0,
  );
  if (largest > limit) return { kind: "workspace-buffer", bytes: largest, limit };
  const { memoryBytes } = budget;
  return memoryBytes !== undefined && peak > memoryBytes
    ? { kind: "memory", bytes: peak, limit: memoryBytes }
    : undefined;
}

/** Of one of the pool's buffers. */
function parameterBytes(spec: ModelSpec, lora: LoraOptions | null): number {
  return poolBytes(lora ? adapterEntries(spec, lora) : weightEntries(spec));
}

/** What an adapter takes in the session that samples with it. */
function adapterWorkspace(
  spec: ModelSpec,
  session: SessionSizes,
  lora: LoraOptions | null,
  targets: readonly LoraTarget[],
): number {
  if (!lora) return 0;
  const { low, qkv, gateUp } = adapterSessionBytes(spec, session, loraLayout(spec, lora));
  const wider = [qkv, gateUp].filter((bytes) => bytes > 0).length * (ADAPTED_OP_BYTES - PRODUCT_OP_BYTES);
  return low + qkv + gateUp + spec.layers * (targets.length * (PRODUCT_OP_BYTES + GEMM_OP_BYTES) + wider);
}

/** The kernels' parameter blocks: small each, but a share of a small model. */
function uniformBytes(
  spec: ModelSpec,
  { format, lora, reference, sizes }: TrainingRequest,
  targets: readonly LoraTarget[],
  limits: BufferLimits,
): number {
  const { layers } = spec;
  const split = splitModel(spec, formatsFor(spec, format), limits);
  const parts = sum(
    split.layers.map(({ qkv, output, gateUp, down }) => qkv.length + output.length + 2 * gateUp.length + down.length),
  );
  const most = vocabularyChunk(spec, sizes.maxTokens);
  const views = sum(split.head.map(({ count }) => Math.ceil(count / most)));
  const layerForward = 2 * NORM_OP_BYTES + ROPE_OP_BYTES + 2 * OP_BYTES;
  const forward =
    parts * GEMM_OP_BYTES +
    layers * layerForward +
    split.embedding.length * EMBEDDING_OP_BYTES +
    NORM_OP_BYTES +
    views * (GEMM_OP_BYTES + OP_BYTES);
  const trained = lora
    ? layers * 6 * targets.length * GEMM_OP_BYTES
    : parts * GEMM_OP_BYTES +
      layers * (spec.qkvBias ? 3 : 2) * COLUMN_SUM_OP_BYTES +
      views * GEMM_OP_BYTES +
      COLUMN_SUM_OP_BYTES +
      OP_BYTES;
  const backward = parts * GEMM_OP_BYTES + layers * layerForward + NORM_OP_BYTES + views * GEMM_OP_BYTES;
  return (reference === "none" ? 1 : 2) * forward + backward + trained;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
