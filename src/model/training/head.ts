import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { CrossEntropy } from "../../kernels/cross-entropy/cross-entropy.ts";
import { Gemm, gemmShape, splitsFor } from "../../kernels/gemm/gemm.ts";
import type { Operand, WeightView } from "../../kernels/gemm/gemm.ts";
import { RmsNormGradient } from "../../kernels/rmsnorm/gradient.ts";
import { RmsNorm } from "../../kernels/rmsnorm/rmsnorm.ts";
import { ACTIVATION_PAD, paddedK, roundUp } from "../../kernels/weights/format.ts";
import type { WeightMatrix } from "../../kernels/weights/matrix.ts";
import type { ModelSpec } from "../spec.ts";
import type { ModelWeights } from "../weights.ts";
import { vocabularyChunk } from "./buffers.ts";
import type { GradientBuffers, TrainingBuffers } from "./buffers.ts";
import type { ParameterPool } from "./parameters.ts";
import { chunkName } from "./weight-parameters.ts";

interface Chunk {
  readonly logits: Gemm;
  readonly loss: CrossEntropy;
  readonly dInput: Gemm | undefined;
  readonly dWeights: Gemm | undefined;
}

export interface HeadDescription {
  readonly spec: ModelSpec;
  readonly weights: ModelWeights;
  readonly pool: ParameterPool;
  readonly maxTokens: number;
  /** Logits are divided by it. */
  readonly temperature: number;
}

/**
 * Final norm, output projection and cross entropy of the scored rows, the vocabulary a chunk at a time: no
 * [tokens, vocabulary] matrix is ever in memory. The backward pass computes the logits again, unless one chunk holds
 * them all.
 */
export class TrainingHead {
  readonly #norm: RmsNorm;
  readonly #normGradient: RmsNormGradient | undefined;
  readonly #chunks: readonly Chunk[];
  readonly #dHidden: GPUBuffer | undefined;

  private constructor(
    norm: RmsNorm,
    normGradient: RmsNormGradient | undefined,
    chunks: readonly Chunk[],
    dHidden: GPUBuffer | undefined,
  ) {
    this.#norm = norm;
    this.#normGradient = normGradient;
    this.#chunks = chunks;
    this.#dHidden = dHidden;
  }

  static async create(
    context: GpuContext,
    scope: BufferScope,
    of: HeadDescription,
    buffers: TrainingBuffers,
    gradients?: GradientBuffers,
  ): Promise<TrainingHead> {
    const { spec, weights, pool } = of;
    const { hiddenSize, rmsNormEps: eps } = spec;
    const hidden = buffers.hidden[spec.layers];
    if (!hidden) throw new RangeError("no last hidden state");
    const { lossRows, lossStep, finalNormed } = buffers;
    const [norm, normGradient, chunks] = await Promise.all([
      RmsNorm.create(context, scope, hiddenSize, eps, hidden, weights.finalNorm, finalNormed, lossRows),
      gradients
        ? RmsNormGradient.create(context, scope, hiddenSize, eps, {
            step: lossStep,
            x: hidden,
            weights: weights.finalNorm,
            dY: gradients.dFinal,
            dX: gradients.dHidden,
            inverse: gradients.inverse,
            partial: gradients.columnPartial,
            gather: { rows: lossRows, gathered: gradients.gathered },
            ...(pool.has("final_norm") ? { dWeights: { buffer: pool.gradient("final_norm"), to: 0 } } : {}),
          })
        : undefined,
      Promise.all(
        viewsOf(weights.head, vocabularyChunk(spec, of.maxTokens)).map((view) =>
          makeChunk(context, scope, of, view, buffers, gradients),
        ),
      ),
    ]);
    return new TrainingHead(norm, normGradient, chunks, gradients?.dHidden);
  }

  /** @param rows scored rows */
  encodeForward(batch: CommandBatch, rows: number): void {
    this.#norm.encode(batch, rows);
    for (const chunk of this.#chunks) {
      chunk.logits.encode(batch, rows);
      chunk.loss.encodeStats(batch, rows);
    }
  }

  /** From the rows' factors to dHidden (all other rows zero), with the gradients of norm and projection. */
  encodeBackward(batch: CommandBatch, rows: number): void {
    const { dHidden } = this.#hidden();
    for (const chunk of this.#chunks) {
      if (this.#chunks.length > 1) chunk.logits.encode(batch, rows);
      chunk.loss.encodeGradient(batch, rows);
      chunk.dInput?.encode(batch, rows);
      chunk.dWeights?.encode(batch, rows);
    }
    batch.clear(dHidden);
    this.#normGradient?.encode(batch, rows);
  }

  #hidden(): { readonly dHidden: GPUBuffer } {
    if (!this.#dHidden) throw new RangeError("a head without a backward pass");
    return { dHidden: this.#dHidden };
  }
}

interface HeadView {
  readonly view: WeightView;
  /** First token. */
  readonly start: number;
  /** The chunk of the matrix it lies in, by its first row. */
  readonly chunk: number;
}

function viewsOf({ chunks, zeroPoints, k }: WeightMatrix, most: number): readonly HeadView[] {
  return chunks.flatMap(({ format, start, count, data, scales }) =>
    Array.from({ length: Math.ceil(count / most) }, (_, i): HeadView => {
      const row0 = i * most;
      const view = {
        format,
        zeroPoints,
        data,
        ...(scales ? { scales } : {}),
        allRows: count,
        row0,
        rows: Math.min(most, count - row0),
        k,
      };
      return { view, start: start + row0, chunk: start };
    }),
  );
}

async function makeChunk(
  context: GpuContext,
  scope: BufferScope,
  { spec, pool, maxTokens, temperature }: HeadDescription,
  { view, start, chunk }: HeadView,
  buffers: TrainingBuffers,
  gradients: GradientBuffers | undefined,
): Promise<Chunk> {
  const name = `head[${start}]`;
  const { lossStep: step, finalNormed, logits, targets, state } = buffers;
  const normed = roundUp(spec.hiddenSize, ACTIVATION_PAD) / 4;
  const stride = vocabularyChunk(spec, maxTokens);
  const x: Operand = { buffer: finalNormed, stride4: normed };
  const y: Operand = { buffer: logits, stride4: stride / 4 };
  // Tied embeddings have one gradient, the sum of both uses.
  const entry = chunkName(spec.tiedEmbeddings ? "embedding" : "head", chunk);
  const splits = splitsFor(gemmShape(context), view.rows, spec.hiddenSize, maxTokens);
  const [product, loss, dInput, dWeights] = await Promise.all([
    Gemm.create(context, scope, {
      name,
      form: "nt",
      step,
      a: x,
      weights: view,
      y,
      store: "store",
      scale: 1 / temperature,
    }),
    CrossEntropy.create(context, scope, { start, count: view.rows, stride }, temperature, {
      logits,
      targets,
      state,
      // Bound but never dispatched where there is no backward pass.
      factors: gradients?.factors ?? targets,
    }),
    gradients
      ? Gemm.create(context, scope, {
          name: `${name}.dx`,
          form: "nn",
          step,
          a: y,
          weights: view,
          y: { buffer: gradients.dFinal, stride4: normed },
          store: start === 0 ? "store" : "accumulate",
        })
      : undefined,
    gradients && pool.has(entry)
      ? Gemm.create(context, scope, {
          name: `${name}.dw`,
          form: "tn",
          step,
          a: y,
          b: x,
          y: { buffer: pool.gradient(entry), stride4: paddedK("f32", spec.hiddenSize) / 4, row: view.row0 },
          rows: view.rows,
          k: spec.hiddenSize,
          ...(splits > 1 ? { partial: { buffer: gradients.gemmPartial, splits } } : {}),
        })
      : undefined,
  ]);
  return { logits: product, loss, dInput, dWeights };
}
