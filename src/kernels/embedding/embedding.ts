import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel, KernelSource } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { ACTIVATION_PAD, layoutOf, roundUp, rowLayout } from "../weights/format.ts";
import type { WeightMatrix } from "../weights/matrix.ts";
import { loaderEnables, loaderWgsl, scaleElement, weightElement } from "../weights/wgsl.ts";
import type { LoaderOptions } from "../weights/wgsl.ts";

/** A row's token field with this value stands for the token last sampled in the row's slot. */
export const LAST_SAMPLED = 0xffffffff;

export interface EmbeddingBuffers {
  readonly step: GPUBuffer;
  /** vec4<u32> per row: token, position, cache row, slot. */
  readonly rows: GPUBuffer;
  /** u32 per slot: the token last sampled. */
  readonly lastToken: GPUBuffer;
  /** Output [rows, K padded to 32] f32. */
  readonly x: GPUBuffer;
}

const THREADS = 64;

function embeddingSource(options: LoaderOptions): KernelSource {
  const { quantized } = layoutOf(options.format);
  const at = quantized ? 6 : 5;
  return {
    label: `embedding ${options.format}`,
    bindings: ["uniform", "uniform", "read", "read", "read", ...(quantized ? (["read"] as const) : []), "write"],
    code: `${loaderEnables(options)}struct Op { start: u32, count: u32, k4: u32, x_stride: u32, ld: u32, blocks: u32, zero_words: u32 }
struct Step { rows: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<uniform> step: Step;
@group(0) @binding(2) var<storage, read> rows: array<vec4<u32>>;
@group(0) @binding(3) var<storage, read> last_token: array<u32>;
@group(0) @binding(4) var<storage, read> w: array<${weightElement(options)}>;
${quantized ? `@group(0) @binding(5) var<storage, read> w_scales: array<${scaleElement(options)}>;` : ""}
@group(0) @binding(${at}) var<storage, read_write> x: array<vec4<f32>>;
${loaderWgsl(options)}
@compute @workgroup_size(${THREADS})
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let row = rows[group.x];
  var token = row.x;
  if (token == ${LAST_SAMPLED}u) { token = last_token[row.w]; }
  // Each chunk of a split table writes the tokens that are its own.
  if (token < op.start || token - op.start >= op.count) { return; }
  for (var k4 = lane; k4 < op.k4; k4 += ${THREADS}u) {
    x[group.x * op.x_stride + k4] = weight4(token - op.start, k4);
  }
}`,
  };
}

interface BoundChunk {
  readonly kernel: Kernel;
  readonly binding: GPUBindGroup;
}

/** x[row] = table[token of row]; one dispatch per chunk of the table. */
export class Embedding {
  readonly #chunks: readonly BoundChunk[];

  private constructor(chunks: readonly BoundChunk[]) {
    this.#chunks = chunks;
  }

  static async create(
    context: GpuContext,
    scope: BufferScope,
    table: WeightMatrix,
    buffers: EmbeddingBuffers,
  ): Promise<Embedding> {
    const { zeroPoints, k } = table;
    const chunks = table.chunks.map(async (chunk): Promise<BoundChunk> => {
      const { format, start, count } = chunk;
      const { f16 } = context.features;
      const kernel = await context.pipelines.get(embeddingSource({ format, zeroPoints, f16 }));
      const { padded, ld, blocks, secondWords } = rowLayout(format, count, k);
      const stride4 = roundUp(k, ACTIVATION_PAD) / 4;
      const fields = [start, count, padded / 4, stride4, ld, blocks, secondWords];
      const op = uploadUniform(context, scope, `embedding[${start}].op`, fields);
      const scales = chunk.scales ? [chunk.scales] : [];
      const { step, rows, lastToken, x } = buffers;
      return { kernel, binding: context.bind(kernel, [op, step, rows, lastToken, chunk.data, ...scales, x]) };
    });
    return new Embedding(await Promise.all(chunks));
  }

  encode(batch: CommandBatch, rows: number): void {
    for (const { kernel, binding } of this.#chunks) batch.dispatch(kernel, binding, [rows]);
  }
}
