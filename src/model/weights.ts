import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { GpuContext } from "../gpu/device.ts";
import { isQuantFormat, Quantizer } from "../kernels/quantize/quantize.ts";
import { ACTIVATION_PAD, roundUp } from "../kernels/weights/format.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import { allocateMatrix } from "../kernels/weights/matrix.ts";
import type { WeightMatrix } from "../kernels/weights/matrix.ts";
import { MatrixWriter } from "./matrix-writer.ts";
import { modelFormats, runsOf } from "./model-formats.ts";
import type { LayerFormats, TensorRows } from "./model-formats.ts";
import type { ModelSpec } from "./spec.ts";
import { TensorReader } from "./tensor-reader.ts";
import { allTensors, checkTensors, checkTied, modelTensors } from "./tensor-names.ts";
import type { LayerTensors, WantedTensor } from "./tensor-names.ts";

export interface LayerWeights {
  /** q, k and v stacked: [(heads + 2 kvHeads) × headDim, hidden]. */
  readonly qkv: WeightMatrix;
  /** Input norm (padded to 32), then the biases of q, k, v; f32. */
  readonly attentionAux: GPUBuffer;
  /** Attention's output projection. */
  readonly output: WeightMatrix;
  /** gate and up stacked in each chunk. */
  readonly gateUp: WeightMatrix;
  /** Post-attention norm (padded to 32), f32. */
  readonly mlpNorm: GPUBuffer;
  readonly down: WeightMatrix;
}

/** A model's weights on the GPU; freed with the scope they were loaded into. */
export interface ModelWeights {
  readonly embedding: WeightMatrix;
  readonly layers: readonly LayerWeights[];
  /** Padded to 32, f32. */
  readonly finalNorm: GPUBuffer;
  /** The output projection; the embedding itself where the two are tied. */
  readonly head: WeightMatrix;
}

export interface LoadOptions {
  /** Left out, matrices stay as they are in the file (see `rowFormats`); otherwise they are converted on the way in. */
  readonly format?: WeightFormat;
  /** Matrices are split into buffers of at most this size; by default into what the device can bind. */
  readonly maxChunkBytes?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** Chunks begin at multiples of four rows, so that training finds their outputs at whole vectors. */
export const VECTOR_ROWS = 4;

/**
 * Reads a checkpoint tensor by tensor, in slabs of a few megabytes, into GPU buffers; quantizes on the GPU.
 * @throws R1Error E_TENSOR_MISSING, E_TENSOR_SHAPE, E_DTYPE, E_CONFIG for tied tables that differ, before anything is allocated; E_LIMIT for rows larger than
 *   a binding; E_NOT_FINITE for NaN or an infinity among the weights; E_QUANTIZATION for weights that the format cannot hold;
 *   E_ABORTED; what the file's source throws
 */
export async function loadWeights(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  checkpoint: Checkpoint,
  options: LoadOptions = {},
): Promise<ModelWeights> {
  const tensors = modelTensors(spec);
  const wanted = allTensors(tensors);
  checkTensors(checkpoint, wanted);
  await checkTied(checkpoint, spec, options.signal);
  const formats = modelFormats(spec, checkpoint.tensors, options.format);
  const reader = new TensorReader(context, checkpoint, wanted, options);
  const quantizer = new Quantizer(context);
  const loader = new WeightLoader(context, scope, reader, quantizer, options);
  try {
    const embedding = await loader.matrix("embedding", [tensors.embedding], formats.embedding);
    const layers: LayerWeights[] = [];
    for (const [i, layer] of tensors.layers.entries()) {
      throwIfAborted(options.signal);
      const own = formats.layers[i];
      if (!own) throw new R1Error("E_INTERNAL", `no formats for layer ${i}`);
      layers.push(await loader.layer(`layer${i}`, layer, own, spec.headDim));
    }
    const finalNorm = await loader.vectors("final_norm", [tensors.finalNorm]);
    const { head: output } = tensors;
    const head = output && formats.head ? await loader.matrix("head", [output], formats.head) : embedding;
    await quantizer.check();
    await reader.settle();
    return { embedding, layers, finalNorm, head };
  } finally {
    quantizer.dispose();
  }
}

class WeightLoader {
  readonly #context: GpuContext;
  readonly #scope: BufferScope;
  readonly #reader: TensorReader;
  readonly #quantizer: Quantizer;
  readonly #options: LoadOptions;

  constructor(
    context: GpuContext,
    scope: BufferScope,
    reader: TensorReader,
    quantizer: Quantizer,
    options: LoadOptions,
  ) {
    this.#context = context;
    this.#scope = scope;
    this.#reader = reader;
    this.#quantizer = quantizer;
    this.#options = options;
  }

  async layer(name: string, tensors: LayerTensors, formats: LayerFormats, headDim: number): Promise<LayerWeights> {
    return {
      qkv: await this.matrix(`${name}.qkv`, tensors.qkv, formats.qkv, headDim),
      attentionAux: await this.vectors(`${name}.attention_aux`, [tensors.inputNorm, ...tensors.qkvBias]),
      output: await this.matrix(`${name}.output`, [tensors.output], formats.output),
      gateUp: await this.#stacked(`${name}.gate_up`, tensors.gateUp, formats.gateUp),
      mlpNorm: await this.vectors(`${name}.mlp_norm`, [tensors.postNorm]),
      down: await this.matrix(`${name}.down`, [tensors.down], formats.down),
    };
  }

  /** Tensors [rows, k] of equal width, one below the other. */
  async matrix(
    name: string,
    parts: readonly WantedTensor[],
    formats: readonly TensorRows[],
    rowsTogether = VECTOR_ROWS,
  ): Promise<WeightMatrix> {
    const matrix = this.#allocate(name, parts, formats, { rowsTogether });
    const writer = await this.#writer(name, matrix, parts, formats);
    let above = 0;
    for (const [i, part] of parts.entries()) {
      const format = formats[i];
      if (!format) throw new R1Error("E_INTERNAL", `${name}: no format for ${part.name}`);
      const first = above;
      await this.#reader.rows(part, format, (block) => writer.write({ ...block, part: 0, start: first + block.start }));
      above += format.rows;
    }
    writer.finish();
    return matrix;
  }

  /** Tensors [rows, k] of equal shape and one format, side by side in each chunk. */
  async #stacked(name: string, parts: readonly WantedTensor[], formats: readonly TensorRows[]): Promise<WeightMatrix> {
    const [format] = formats;
    if (!format) throw new R1Error("E_INTERNAL", `${name}: no format`);
    const matrix = this.#allocate(name, parts, formats, { stacked: parts.length, rowsTogether: VECTOR_ROWS });
    const writer = await this.#writer(name, matrix, parts, formats);
    for (const [part, tensor] of parts.entries()) {
      await this.#reader.rows(tensor, format, (block) => writer.write({ ...block, part }));
    }
    writer.finish();
    return matrix;
  }

  /** Vectors as f32 in one buffer, the first padded as activations are, the others following each other. */
  async vectors(name: string, parts: readonly WantedTensor[]): Promise<GPUBuffer> {
    const values: Float32Array[] = [];
    for (const part of parts) values.push(await this.#reader.floats(part));
    const lengths = values.map((v, i) => (i === 0 ? roundUp(v.length, ACTIVATION_PAD) : v.length));
    const all = new Float32Array(
      roundUp(
        lengths.reduce((a, b) => a + b, 0),
        4,
      ),
    );
    let at = 0;
    for (const [i, v] of values.entries()) {
      all.set(v, at);
      at += lengths[i] ?? 0;
    }
    const buffer = this.#scope.create(name, all.byteLength);
    this.#context.write(buffer, all);
    return buffer;
  }

  async #writer(
    name: string,
    matrix: WeightMatrix,
    parts: readonly WantedTensor[],
    formats: readonly TensorRows[],
  ): Promise<MatrixWriter> {
    // What is quantized here is quantized to one format, be it asked for or what the loader falls back on.
    const to = formats.find(({ format, kept }) => isQuantFormat(format) && !kept)?.format;
    if (to === undefined || !isQuantFormat(to)) return new MatrixWriter(this.#context, matrix);
    const quantize = await this.#quantizer.matrix(name, to, matrix.k, this.#reader.storedFormats(parts));
    return new MatrixWriter(this.#context, matrix, quantize);
  }

  #allocate(
    name: string,
    parts: readonly WantedTensor[],
    formats: readonly TensorRows[],
    options: { readonly rowsTogether?: number; readonly stacked?: number },
  ): WeightMatrix {
    const { maxChunkBytes } = this.#options;
    return allocateMatrix(this.#context, this.#scope, name, runsOf(formats), parts[0]?.shape[1] ?? 0, {
      ...options,
      ...(maxChunkBytes === undefined ? {} : { maxChunkBytes }),
    });
  }
}
