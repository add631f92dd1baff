import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import { UNIFORM_USAGE } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { f32View, Gemm } from "../../kernels/gemm/gemm.ts";
import { paddedK } from "../../kernels/weights/format.ts";
import { formatsOf } from "../../kernels/weights/matrix.ts";
import type { WeightMatrix } from "../../kernels/weights/matrix.ts";
import type { ModelSpec } from "../spec.ts";
import type { LayerWeights, ModelWeights } from "../weights.ts";
import type { Projection } from "./layer.ts";
import { adapterNames, loraTargets } from "./lora.ts";
import type { LoraOptions } from "./lora.ts";
import type { ParameterPool } from "./parameters.ts";

/** A product W' = W + (alpha / r) · B · A and the number of its rows. */
interface Merge {
  readonly gemm: Gemm;
  readonly rows: number;
}

const MATRIX_OF: Record<Projection, (layer: LayerWeights) => WeightMatrix> = {
  qkv: (layer) => layer.qkv,
  output: (layer) => layer.output,
  gate_up: (layer) => layer.gateUp,
  down: (layer) => layer.down,
};

/**
 * Writes frozen weights with their adapter added in into a second model's weights, from which sessions sample: the
 * decode kernels know nothing of adapters, and one small product per update costs less than one more per token.
 */
export class AdapterMerge {
  readonly #merges: readonly Merge[];

  private constructor(merges: readonly Merge[]) {
    this.#merges = merges;
  }

  /** @throws R1Error E_CONFIG unless both models are f32, E_LIMIT for matrices split over several bindings */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    spec: ModelSpec,
    weights: { readonly base: ModelWeights; readonly merged: ModelWeights },
    pool: ParameterPool,
    { r, lora_alpha, target_modules }: LoraOptions,
  ): Promise<AdapterMerge> {
    const targets = loraTargets(spec);
    const steps = new Map<number, GPUBuffer>();
    const stepOf = (rows: number): GPUBuffer => {
      let step = steps.get(rows);
      if (!step) {
        step = scope.create("merge.step", 16, UNIFORM_USAGE);
        context.write(step, Uint32Array.of(rows, 0, 0, 0));
        steps.set(rows, step);
      }
      return step;
    };
    const merges = weights.base.layers.flatMap((base, layer) =>
      [...new Set(target_modules)].map(async (name): Promise<Merge> => {
        const target = targets[name];
        const merged = weights.merged.layers[layer];
        if (!target || !merged) throw new R1Error("E_OPTION", `lora.target_modules names ${name}`);
        const { projection, path, k, rows, row } = target;
        const [a, b] = adapterNames(layer, path);
        const gemm = await Gemm.create(context, scope, {
          name: `merge.${layer}.${name}`,
          form: "nn",
          step: stepOf(rows),
          a: { buffer: pool.value(b), stride4: paddedK("f32", r) / 4 },
          weights: f32View(pool.value(a), r, k),
          y: { buffer: bufferOf(MATRIX_OF[projection](merged)), stride4: paddedK("f32", k) / 4, row },
          store: { residual: bufferOf(MATRIX_OF[projection](base)) },
          scale: lora_alpha / r,
        });
        return { gemm, rows };
      }),
    );
    return new AdapterMerge(await Promise.all(merges));
  }

  encode(batch: CommandBatch): void {
    for (const { gemm, rows } of this.#merges) gemm.encode(batch, rows);
  }
}

function bufferOf(matrix: WeightMatrix): GPUBuffer {
  const [chunk, second] = matrix.chunks;
  const formats = formatsOf(matrix);
  if (formats.some((format) => format !== "f32")) {
    throw new R1Error("E_CONFIG", `sampling with an adapter needs f32 weights, not ${formats.join(" and ")}`);
  }
  if (!chunk || second) {
    throw new R1Error(
      "E_LIMIT",
      "a weight matrix is too large for one binding of this device to sample with an adapter",
    );
  }
  return chunk.data;
}
