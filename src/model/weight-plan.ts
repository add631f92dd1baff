import { isQuantFormat } from "../kernels/quantize/quantize.ts";
import { ACTIVATION_PAD, layoutOf, roundUp } from "../kernels/weights/format.ts";
import type { MatrixFormat } from "../kernels/weights/format.ts";
import { splitRuns } from "../kernels/weights/matrix.ts";
import type { BufferLimits, ChunkSize } from "../kernels/weights/matrix.ts";
import { formatsFor, runsOf } from "./model-formats.ts";
import type { LayerFormats, ModelFormats, TensorRows, WeightChoice } from "./model-formats.ts";
import type { ModelSpec } from "./spec.ts";
import { VECTOR_ROWS } from "./weights.ts";

/** What a model's weights take on the device. */
export interface WeightPlan {
  /** Bytes of all matrices with their scales, by format, the most first. */
  readonly matrices: ReadonlyMap<MatrixFormat, number>;
  /** Bytes of norms and biases, which are f32. */
  readonly vectors: number;
  /** Bindings that the embedding reads, and that products do. */
  readonly embeddingChunks: number;
  readonly productChunks: number;
  /** Some matrix is quantized while it is loaded. */
  readonly quantizes: boolean;
}

/** The chunks of a layer's matrices. */
export type LayerChunks = Readonly<Record<keyof LayerFormats, readonly ChunkSize[]>>;

/** The chunks of all matrices. */
export interface ModelChunks {
  readonly embedding: readonly ChunkSize[];
  /** Those of the embedding where it is the output projection too. */
  readonly head: readonly ChunkSize[];
  readonly layers: readonly LayerChunks[];
}

/** Computed as `loadWeights` allocates. @throws R1Error E_LIMIT for a model of which not even a few rows fit a binding */
export function splitModel(spec: ModelSpec, formats: ModelFormats, limits: BufferLimits): ModelChunks {
  const { hiddenSize: hidden, intermediateSize: inner, heads, headDim } = spec;
  const split = (parts: readonly TensorRows[], k: number, rowsTogether = VECTOR_ROWS, stacked = 1) =>
    splitRuns(limits, "weights", runsOf(parts), k, { rowsTogether, stacked });
  const embedding = split(formats.embedding, hidden);
  const head = formats.head ? split(formats.head, hidden) : embedding;
  // Of one format, all layers are one object, and a plan is made for many contexts in turn.
  const known = new Map<LayerFormats, LayerChunks>();
  const layers = formats.layers.map((layer) => {
    const chunks = known.get(layer) ?? {
      qkv: split(layer.qkv, hidden, headDim),
      output: split(layer.output, heads * headDim),
      gateUp: split(layer.gateUp, hidden, VECTOR_ROWS, 2),
      down: split(layer.down, inner),
    };
    known.set(layer, chunks);
    return chunks;
  });
  return { embedding, head, layers };
}

/** What the chunks of {@link splitModel} come to. */
export function planWeights(spec: ModelSpec, formats: ModelFormats, limits: BufferLimits): WeightPlan {
  const { hiddenSize: hidden, heads, kvHeads, headDim, layers } = spec;
  const { embedding, head, layers: split } = splitModel(spec, formats, limits);
  const products = split.flatMap(({ qkv, output, gateUp, down }) => [qkv, output, gateUp, down].flat());
  const norm = roundUp(hidden, ACTIVATION_PAD) * 4;
  const biases = spec.qkvBias ? (heads + 2 * kvHeads) * headDim * 4 : 0;
  return {
    matrices: bytesByFormat([...embedding, ...products, ...(formats.head ? head : [])]),
    vectors: layers * (2 * norm + biases) + norm,
    embeddingChunks: embedding.length,
    productChunks: products.length + head.length,
    quantizes: allParts(formats).some(({ format, kept }) => isQuantFormat(format) && !kept),
  };
}

export function matrixBytes({ matrices }: WeightPlan): number {
  return [...matrices.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** Bytes of all matrices on a device of any limits, by format, the most first. */
export function matricesByFormat(spec: ModelSpec, formats: ModelFormats): ReadonlyMap<MatrixFormat, number> {
  return planWeights(spec, formats, { maxBufferSize: Infinity, maxStorageBufferBindingSize: Infinity }).matrices;
}

/** The format of most bytes. */
export function mostlyIn(spec: ModelSpec, choice: WeightChoice): MatrixFormat {
  const [[format] = ["f32"] as const] = matricesByFormat(spec, formatsFor(spec, choice));
  return format;
}

/** Bits of a weight without its scales, on average over the matrices. */
export function meanBits(spec: ModelSpec, formats: ModelFormats): number {
  const { hiddenSize: hidden, intermediateSize: inner, heads, headDim } = spec;
  let [weights, bits] = [0, 0];
  const add = (parts: readonly TensorRows[], k: number): void => {
    for (const { format, rows } of parts) {
      weights += rows * k;
      bits += rows * k * layoutOf(format).bitsPerWeight;
    }
  };
  for (const table of [formats.embedding, formats.head ?? []]) add(table, hidden);
  for (const { qkv, output, gateUp, down } of formats.layers) {
    add(qkv, hidden);
    add(output, heads * headDim);
    add(gateUp, 2 * hidden);
    add(down, inner);
  }
  return bits / weights;
}

function allParts({ embedding, layers, head }: ModelFormats): readonly TensorRows[] {
  const inLayers = layers.flatMap(({ qkv, output, gateUp, down }) => [...qkv, ...output, ...gateUp, ...down]);
  return [...embedding, ...inLayers, ...(head ?? [])];
}

function bytesByFormat(chunks: readonly ChunkSize[]): ReadonlyMap<MatrixFormat, number> {
  const bytes = new Map<MatrixFormat, number>();
  for (const { format, dataBytes, scaleBytes } of chunks) {
    bytes.set(format, (bytes.get(format) ?? 0) + dataBytes + scaleBytes);
  }
  return new Map([...bytes].toSorted(([, a], [, b]) => b - a));
}
