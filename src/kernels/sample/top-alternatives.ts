import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel, KernelSource } from "../../gpu/pipelines.ts";
import { Readback } from "../../gpu/readback.ts";
import { uploadUniform } from "../buffers.ts";
import { LOG_SUM_WGSL } from "./log-sum.ts";
import { LOGITS_WGSL } from "./logits.ts";
import { enterWgsl, entryParameters, reduceEnables, reduceWgsl, THREADS } from "./reduce.ts";
import { checkLogitRows } from "./shape.ts";
import type { LogitRows } from "./shape.ts";

/** A token and its log-probability in nats under the raw logits at temperature 1. */
export interface Alternative {
  readonly id: number;
  readonly logprob: number;
}

export const MAX_ALTERNATIVES = 20;
const NO_ID = 0xffffffff;
const ENTRY_BYTES = 8;

/**
 * Grid [rows]. Each thread knows the best of its own ids; a round takes the best of all, and only the thread it came from
 * looks again through its ids for the one that follows.
 */
function topAlternativesSource(subgroups: boolean): KernelSource {
  return {
    label: "top alternatives",
    bindings: ["uniform", "read", "write"],
    code: `${reduceEnables(subgroups)}struct Op { vocab: u32, stride4: u32, count: u32 }
@group(0) @binding(0) var<uniform> op: Op;
@group(0) @binding(1) var<storage, read> logits: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read_write> alternatives: array<vec2<u32>>;
${LOGITS_WGSL}
${LOG_SUM_WGSL}
${reduceWgsl(subgroups)}
/** The best of this thread's ids after the one just taken. */
fn following(r: u32, taken: vec4<u32>) -> vec4<u32> {
  var best = vec4<u32>(0u, NO_TOKEN, 0u, NO_TOKEN);
  for (var v = lane; v < (op.vocab + 3u) / 4u; v += THREADS) {
    let four = load_four(r, v);
    for (var i = 0u; i < 4u; i++) {
      let key = key_of(four.raw[i]);
      let id = 4u * v + i;
      if (four.dead[i] || key > taken.x || (key == taken.x && id <= taken.y)) { continue; }
      best = better(best, vec4<u32>(key, id, 0u, NO_TOKEN));
    }
  }
  return best;
}

@compute @workgroup_size(${THREADS})
fn main(${entryParameters(subgroups)}) {
  ${enterWgsl(subgroups)}
  let r = group.x;
  var mine = vec4<u32>(0u, NO_TOKEN, 0u, NO_TOKEN);
  var state = NOTHING;
  for (var v = lane; v < (op.vocab + 3u) / 4u; v += THREADS) {
    let four = load_four(r, v);
    state = accumulate(state, four, four.raw);
    for (var i = 0u; i < 4u; i++) {
      if (!four.dead[i]) { mine = better(mine, vec4<u32>(key_of(four.raw[i]), 4u * v + i, 0u, NO_TOKEN)); }
    }
  }
  let top = value_of(reduce_best(mine).x);
  let log_sum = log(max(reduce_sum(vec4<f32>(rebase(state, top).y, 0.0, 0.0, 0.0)).x, 1.0));
  for (var k = 0u; k < op.count; k++) {
    let best = reduce_best(mine);
    if (lane == 0u) {
      alternatives[r * op.count + k] = vec2<u32>(best.y, bitcast<u32>(value_of(best.x) - top - log_sum));
    }
    if (mine.y == best.y && best.y != NO_TOKEN) { mine = following(r, best); }
  }
}`,
  };
}

/** The most probable ids of each row, for a reader who asks what else the model might have said; not part of a step. */
export class TopAlternatives {
  readonly #kernel: Kernel;
  readonly #binding: GPUBindGroup;
  readonly #output: GPUBuffer;
  readonly #readback: Readback;
  readonly #maxRows: number;
  readonly #count: number;

  private constructor(context: GpuContext, scope: BufferScope, rows: LogitRows, count: number, kernel: Kernel) {
    const { maxRows, vocab, logitStride, logits } = rows;
    const bytes = maxRows * count * ENTRY_BYTES;
    this.#maxRows = maxRows;
    this.#count = count;
    this.#kernel = kernel;
    this.#output = scope.create("top_alternatives.out", bytes);
    this.#readback = new Readback(context, scope, bytes);
    const op = uploadUniform(context, scope, "top_alternatives.op", [vocab, logitStride / 4, count]);
    this.#binding = context.bind(kernel, [op, logits, this.#output]);
  }

  /**
   * @param count ids per row, 1 to {@link MAX_ALTERNATIVES}
   * @throws R1Error E_OPTION for another count; E_LIMIT, E_INTERNAL for rows that do not fit
   */
  static async create(
    context: GpuContext,
    scope: BufferScope,
    rows: LogitRows,
    count: number = MAX_ALTERNATIVES,
  ): Promise<TopAlternatives> {
    if (!Number.isInteger(count) || count < 1 || count > MAX_ALTERNATIVES) {
      throw new R1Error("E_OPTION", `${count} alternatives; expected 1 to ${MAX_ALTERNATIVES}`, { found: count });
    }
    checkLogitRows(context, rows);
    const kernel = await context.pipelines.get(topAlternativesSource(context.features.subgroups));
    return new TopAlternatives(context, scope, rows, count, kernel);
  }

  /**
   * Adds the search over rows 0 to `rowCount` − 1 and the copy of its results to a batch; at most two may be waited for.
   * @returns call after `submit`: per row the alternatives, most probable first (lowest id first on ties), fewer when
   *   fewer ids are possible
   */
  enqueue(batch: CommandBatch, rowCount: number): () => Promise<Alternative[][]> {
    if (rowCount > this.#maxRows) {
      throw new R1Error("E_INTERNAL", `${rowCount} rows for alternatives; there is room for ${this.#maxRows}`);
    }
    batch.dispatch(this.#kernel, this.#binding, [rowCount]);
    const wait = this.#readback.enqueue(batch, this.#output, rowCount * this.#count * ENTRY_BYTES);
    return async () => this.#decode(await wait(), rowCount);
  }

  #decode(bytes: Uint8Array<ArrayBuffer>, rowCount: number): Alternative[][] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: rowCount }, (_, row) => {
      const list: Alternative[] = [];
      for (let k = 0; k < this.#count; k++) {
        const at = (row * this.#count + k) * ENTRY_BYTES;
        const id = view.getUint32(at, true);
        if (id === NO_ID) break;
        list.push({ id, logprob: view.getFloat32(at + 4, true) });
      }
      return list;
    });
  }
}
