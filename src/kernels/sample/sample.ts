import { R1Error } from "../../errors.ts";
import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/pipelines.ts";
import { uploadUniform } from "../buffers.ts";
import { chooseSource } from "./choose.ts";
import { RESULT_BYTES } from "./result.ts";
import { packRows, ROW_WORDS } from "./row.ts";
import type { SampleRow } from "./row.ts";
import { checkLogitRows, checkSize } from "./shape.ts";
import type { LogitRows } from "./shape.ts";
import { CHUNK_IDS, PARTIAL_BYTES, statsSource } from "./stats.ts";

export { decodeResults, RESULT_BYTES } from "./result.ts";
export type { SampleResult } from "./result.ts";
export { checkSamplingOptions, NO_TARGET } from "./row.ts";
export type { SampleRow, SamplingOptions } from "./row.ts";

/** What a sampler works on; the buffers stay the caller's. */
export interface SamplerInputs extends LogitRows {
  /** Sequences that have a `seen` mask and a last token. */
  readonly slots: number;
  /** [slots, ⌈vocab / 32⌉] u32: bit (id mod 32) of word ⌊id / 32⌋ is set for ids already in the slot's sequence. */
  readonly seen: GPUBuffer;
  /** [slots] u32: the token chosen last. */
  readonly lastToken: GPUBuffer;
}

/** u32 words of one slot in the `seen` mask. */
export function seenWords(vocab: number): number {
  return Math.ceil(vocab / 32);
}

/** Bytes of a sampler's own buffers. */
export function samplerBytes(maxRows: number, vocab: number): number {
  return maxRows * (ROW_WORDS * 4 + RESULT_BYTES + 8 + Math.ceil(vocab / CHUNK_IDS) * PARTIAL_BYTES);
}

/**
 * Chooses the next token of many sequences on the GPU, in two dispatches and without allocating: Gumbel-max over the
 * allowed ids (Gumbel 1954), with penalties and truncation in the order of Hugging Face transformers. A row's choice
 * depends on its logits, its parameters and its slot alone, never on the other rows.
 */
export class Sampler {
  /** [maxRows] of 16 bytes each; read them with `decodeResults`. */
  readonly results: GPUBuffer;
  /**
   * [maxRows] vec2<u32>: bits of the smallest allowed scaled logit (f32), and the number of allowed ids. The number is 0
   * for a row that was not truncated; then, as when nothing is allowed, the first word means nothing.
   */
  readonly support: GPUBuffer;
  readonly #context: GpuContext;
  readonly #inputs: SamplerInputs;
  readonly #chunks: number;
  readonly #rows: GPUBuffer;
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #stats: readonly [Kernel, GPUBindGroup];
  readonly #choose: readonly [Kernel, GPUBindGroup];

  /** Use {@link createSampler}. */
  constructor(
    context: GpuContext,
    scope: BufferScope,
    inputs: SamplerInputs,
    [stats, choose]: readonly [Kernel, Kernel],
  ) {
    const { maxRows, vocab, logitStride, logits, seen, lastToken } = inputs;
    this.#context = context;
    this.#inputs = inputs;
    this.#chunks = Math.ceil(vocab / CHUNK_IDS);
    this.#words = new Uint32Array(maxRows * ROW_WORDS);
    this.#rows = scope.create("sample.rows", this.#words.byteLength);
    this.results = scope.create("sample.results", maxRows * RESULT_BYTES);
    this.support = scope.create("sample.support", maxRows * 8);
    const partials = scope.create("sample.partials", maxRows * this.#chunks * PARTIAL_BYTES);
    const constants = [vocab, logitStride / 4, this.#chunks, seenWords(vocab)];
    const op = uploadUniform(context, scope, "sample.op", constants);
    this.#stats = [stats, context.bind(stats, [op, this.#rows, logits, seen, partials])];
    const outputs = [this.results, lastToken, this.support];
    this.#choose = [choose, context.bind(choose, [op, this.#rows, logits, seen, partials, ...outputs])];
  }

  /**
   * Sets the parameters of rows 0, 1, … for the submissions that follow.
   * @throws R1Error E_OPTION, E_TOKEN_RANGE for a parameter out of range; E_INTERNAL for more rows than there is room for
   */
  writeParams(rows: readonly SampleRow[]): void {
    this.#checkRows(rows.length);
    packRows(rows, this.#words, this.#inputs);
    this.#context.write(this.#rows, this.#words.subarray(0, rows.length * ROW_WORDS));
  }

  /** Samples rows 0 to `rowCount` − 1, whose parameters {@link writeParams} has set. */
  encode(batch: CommandBatch, rowCount: number): void {
    this.#checkRows(rowCount);
    batch.dispatch(...this.#stats, [this.#chunks, rowCount]);
    batch.dispatch(...this.#choose, [rowCount]);
  }

  #checkRows(count: number): void {
    const { maxRows } = this.#inputs;
    if (count > maxRows)
      throw new R1Error("E_INTERNAL", `${count} rows to sample; the sampler has room for ${maxRows}`);
  }
}

/**
 * @param scope owns the sampler's own buffers: about 72 bytes per row and 32 per row and 2,048 ids
 * @throws R1Error E_LIMIT for more rows, ids or bytes than the device can take
 * @throws R1Error E_INTERNAL for a stride or buffer that does not fit
 */
export async function createSampler(context: GpuContext, scope: BufferScope, inputs: SamplerInputs): Promise<Sampler> {
  checkLogitRows(context, inputs);
  checkSize("seen", inputs.seen, inputs.slots * seenWords(inputs.vocab) * 4);
  checkSize("last token", inputs.lastToken, inputs.slots * 4);
  const { subgroups } = context.features;
  const kernels = await Promise.all([
    context.pipelines.get(statsSource(subgroups)),
    context.pipelines.get(chooseSource(subgroups)),
  ]);
  return new Sampler(context, scope, inputs, kernels);
}
