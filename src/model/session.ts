import { R1Error, throwIfAborted } from "../errors.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { CommandBatch } from "../gpu/commands.ts";
import type { GpuContext } from "../gpu/device.ts";
import { Readback } from "../gpu/readback.ts";
import { LAST_SAMPLED } from "../kernels/embedding/embedding.ts";
import { createSampler, decodeResults, NO_TARGET, RESULT_BYTES, seenWords } from "../kernels/sample/sample.ts";
import type { Sampler } from "../kernels/sample/sample.ts";
import { TopAlternatives } from "../kernels/sample/top-alternatives.ts";
import { requireLogits } from "./broken-logits.ts";
import { Forward } from "./forward.ts";
import { KeptCache } from "./kept-cache.ts";
import { KvPool } from "./kv-pool.ts";
import type { LanguageModel, PrefillEntry, RowSampling, StepResult, StepRow } from "./language-model.ts";
import type { LanguageModelWeights } from "./load.ts";
import { adapterSessionBytes, SessionAdapter } from "./session-adapter.ts";
import type { ModelAdapter } from "./session-adapter.ts";
import { allocateSession, logitStride, sessionBytes, slotCount } from "./session-buffers.ts";
import type { SessionBuffers, SessionSizes } from "./session-buffers.ts";
import { Sequence } from "./sequence.ts";
import type { Fork } from "./sequence.ts";
import type { ModelSpec } from "./spec.ts";
import { checkTokenIds } from "./token-ids.ts";

/** Statistics of one position of a scored text, all under temperature 1; log-probabilities and entropy in nats. */
export interface ScoredPosition {
  readonly argmax: number;
  readonly entropy: number;
  /** Log-probability of the next token of the text; undefined at the last position. */
  readonly logprob?: number;
}

const GREEDY: RowSampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0, stream: 0 };

/**
 * A model's cache and workspace: prefill, batched decode, scoring. Everything is allocated when it is made; a decode
 * step is one submission and reads back 16 bytes per sequence.
 */
export class Session implements LanguageModel {
  /** The GPU feeds each sampled token to itself. */
  readonly runsAhead = true;
  readonly sizes: SessionSizes;
  readonly spec: ModelSpec;
  readonly #context: GpuContext;
  readonly #scope: BufferScope;
  readonly #buffers: SessionBuffers;
  readonly #forward: Forward;
  readonly #sampler: Sampler;
  readonly #readback: Readback;
  readonly #pool: KvPool;
  readonly #freeSlots: number[];
  #alternatives: TopAlternatives | undefined;

  private constructor(
    context: GpuContext,
    scope: BufferScope,
    spec: ModelSpec,
    sizes: SessionSizes,
    buffers: SessionBuffers,
    forward: Forward,
    sampler: Sampler,
  ) {
    this.#context = context;
    this.#scope = scope;
    this.spec = spec;
    this.sizes = sizes;
    this.#buffers = buffers;
    this.#forward = forward;
    this.#sampler = sampler;
    this.#readback = new Readback(context, scope, sizes.maxSequences * RESULT_BYTES);
    this.#pool = new KvPool(sizes.kvTokens);
    const slots = slotCount(sizes);
    this.#freeSlots = Array.from({ length: slots }, (_, i) => slots - 1 - i);
  }

  /**
   * @param adapter runs beside the model's frozen weights, as it is at each step
   * @throws R1Error E_OUT_OF_MEMORY, E_LIMIT; E_OPTION for an adapter that the model cannot have; nothing stays allocated
   *   then
   */
  static async create(model: LanguageModelWeights, sizes: SessionSizes, adapter?: ModelAdapter): Promise<Session> {
    const { context, spec, weights } = model;
    const scope = context.arena.scope("session");
    try {
      return await context.guarded("allocating the session", async () => {
        const bytes = adapter && adapterSessionBytes(spec, sizes, adapter.layout);
        const buffers = allocateSession(context, scope, spec, sizes, bytes);
        const beside = adapter && new SessionAdapter(context, scope, spec, sizes, buffers, adapter);
        const forward = await Forward.create(context, scope, spec, weights, buffers, sizes, beside);
        const sampler = await createSampler(context, scope, {
          maxRows: sizes.maxSequences,
          vocab: spec.vocabSize,
          logitStride: logitStride(spec),
          slots: slotCount(sizes),
          logits: buffers.logits,
          seen: buffers.seen,
          lastToken: buffers.lastToken,
        });
        return new Session(context, scope, spec, sizes, buffers, forward, sampler);
      });
    } catch (error) {
      scope.dispose();
      throw error;
    }
  }

  get freeTokens(): number {
    return this.#pool.freeRows;
  }

  /**
   * Opens an empty sequence.
   * @param capacity tokens it can come to hold
   * @throws R1Error E_KV_FULL
   */
  open(capacity: number): Sequence {
    return this.#place(capacity);
  }

  /**
   * Opens a sequence that begins with a prefix of `parent`, reading the parent's cache rows instead of copying them.
   * @param prefix what the parent holds, or will hold before the first step of the new sequence
   * @param capacity tokens the sequence can come to hold, prefix included
   * @throws R1Error E_KV_FULL
   */
  fork(parent: Sequence, prefix: readonly number[], capacity: number): Sequence {
    return this.#place(capacity, { parent, prefix });
  }

  /**
   * Runs tokens through the model into the cache, many sequences packed into one batch.
   * @throws R1Error E_PROMPT_TOO_LONG, E_TOKEN_RANGE, E_ABORTED (what is cached stays valid)
   */
  async prefill(entries: readonly PrefillEntry<Sequence>[], signal?: AbortSignal): Promise<void> {
    for (const { sequence, tokens } of entries) this.#checkTokens(sequence, tokens);
    const queue = entries
      .map(({ sequence, tokens }) => ({ sequence, tokens, done: 0 }))
      .filter((e) => e.tokens.length > 0);
    while (queue.length > 0) {
      throwIfAborted(signal);
      const parts: { sequence: Sequence; tokens: readonly number[] }[] = [];
      let room = this.sizes.prefillRows;
      while (room > 0 && queue[0]) {
        const entry = queue[0];
        const tokens = entry.tokens.slice(entry.done, entry.done + room);
        parts.push({ sequence: entry.sequence, tokens });
        room -= tokens.length;
        entry.done += tokens.length;
        if (entry.done === entry.tokens.length) queue.shift();
      }
      const batch = this.#context.commands();
      this.#encodePrefill(batch, parts);
      batch.submit();
      // One chunk in flight keeps the queue short enough to stop quickly.
      await this.#context.device.queue.onSubmittedWorkDone();
      this.#context.assertHealthy();
    }
  }

  /**
   * Appends one token to each sequence and samples the next.
   * @throws R1Error E_PROMPT_TOO_LONG when a sequence is full, E_DEVICE_LOST
   */
  step(rows: readonly StepRow<Sequence>[], alternatives = false): Promise<StepResult[]> {
    return this.submitStep(rows, alternatives)();
  }

  /**
   * Submits a step and returns the wait for its results, so that the next can be submitted before they arrive.
   * At most two steps may be in flight.
   */
  submitStep(rows: readonly StepRow<Sequence>[], alternatives = false): () => Promise<StepResult[]> {
    const { sizes } = this;
    if (rows.length > sizes.maxSequences) {
      throw new R1Error(
        "E_LIMIT",
        `${rows.length} sequences in one step; the session was made for ${sizes.maxSequences}`,
      );
    }
    const rowData = new Uint32Array(rows.length * 4);
    const seqData = new Uint32Array(rows.length * 8);
    let longest = 0;
    rows.forEach(({ sequence, token }, i) => {
      const position = sequence.length;
      this.#checkTokens(sequence, [token ?? 0]);
      rowData.set([token ?? LAST_SAMPLED, position, sequence.row(position), sequence.slot], i * 4);
      seqData.set([sequence.prefixBase, sequence.prefixLength, sequence.ownBase, position + 1, i, 1, 0, 0], i * 8);
      longest = Math.max(longest, position + 1);
    });
    this.#writeStep(rowData, seqData, rows.length);
    this.#sampler.writeParams(
      rows.map(({ sequence, sampling, target }) => ({
        ...sampling,
        position: sequence.length + 1,
        slot: sequence.slot,
        target: target ?? NO_TARGET,
        record: target === undefined,
      })),
    );
    const batch = this.#context.commands();
    this.#forward.encodeDecode(batch, rows.length, longest);
    this.#forward.encodeHead(batch, rows.length);
    this.#sampler.encode(batch, rows.length);
    const waitAlternatives = alternatives ? this.#alternatives?.enqueue(batch, rows.length) : undefined;
    const wait = this.#readback.enqueue(batch, this.#sampler.results, rows.length * RESULT_BYTES);
    batch.submit();
    // The input of a row left to the GPU is known to the host only from the last step's result.
    const nextPositions = rows.map(({ sequence, token }) => sequence.tokens.push(token ?? LAST_SAMPLED));
    return async () => {
      const results = decodeResults(await wait(), rows.length);
      rows.forEach(({ sequence }, i) => {
        const next = nextPositions[i] ?? 0;
        const token = results[i]?.token;
        if (sequence.tokens[next] === LAST_SAMPLED && token !== undefined) sequence.tokens[next] = token;
      });
      const extra = await waitAlternatives?.();
      return results.map((result, i) => {
        const list = extra?.[i];
        return list ? { ...result, alternatives: list } : result;
      });
    };
  }

  /** Makes the kernel that reports the most probable tokens (a larger readback per step), once. */
  async prepareAlternatives(): Promise<void> {
    this.#alternatives ??= await TopAlternatives.create(this.#context, this.#scope, {
      maxRows: this.sizes.maxSequences,
      vocab: this.spec.vocabSize,
      logitStride: logitStride(this.spec),
      logits: this.#buffers.logits,
    });
  }

  keep(sequence: Sequence): Promise<KeptCache> {
    return KeptCache.copy(this.#context, this.#buffers.kv, this.#kvRowBytes, sequence);
  }

  resume(kept: KeptCache, capacity: number): Sequence {
    const sequence = this.open(capacity);
    kept.restore(this.#context, this.#buffers.kv, this.#kvRowBytes, sequence);
    sequence.tokens.push(...kept.tokens);
    return sequence;
  }

  /** Marks tokens as already in a sequence, for the repetition penalty. */
  markSeen(sequence: Sequence, tokens: readonly number[]): void {
    const words = seenWords(this.spec.vocabSize);
    const mask = new Uint32Array(words);
    for (const token of tokens) mask[token >> 5] = (mask[token >> 5] ?? 0) | (1 << (token & 31));
    this.#context.write(this.#buffers.seen, mask, sequence.slot * words * 4);
  }

  /**
   * Statistics of every position of a text and the last position's logits [vocab] f32.
   * @throws R1Error E_PROMPT_EMPTY, E_PROMPT_TOO_LONG, E_TOKEN_RANGE, E_LOGITS
   */
  async score(
    tokens: readonly number[],
    signal?: AbortSignal,
  ): Promise<{ positions: ScoredPosition[]; lastLogits: Float32Array<ArrayBuffer> }> {
    if (tokens.length === 0) throw new R1Error("E_PROMPT_EMPTY", "no tokens to score");
    const sequence = this.open(tokens.length);
    try {
      const positions: ScoredPosition[] = [];
      let lastLogits = new Float32Array(0);
      for (let start = 0; start < tokens.length; start += this.sizes.prefillRows) {
        throwIfAborted(signal);
        const chunk = tokens.slice(start, start + this.sizes.prefillRows);
        this.#checkTokens(sequence, chunk);
        const batch = this.#context.commands();
        this.#encodePrefill(batch, [{ sequence, tokens: chunk }]);
        batch.submit();
        for (let at = 0; at < chunk.length; at += this.sizes.maxSequences) {
          const count = Math.min(this.sizes.maxSequences, chunk.length - at);
          const last = start + at + count === tokens.length;
          const scored = await this.#scoreRows(tokens, start + at, at, count, last);
          positions.push(...scored.positions);
          if (scored.logits) lastLogits = scored.logits;
        }
      }
      return { positions, lastLogits };
    } finally {
      sequence.free();
    }
  }

  dispose(): void {
    this.#scope.dispose();
  }

  /** Bytes of one token in a layer's cache. */
  get #kvRowBytes(): number {
    return sessionBytes(this.spec, this.sizes).kv / this.sizes.kvTokens;
  }

  #place(capacity: number, fork?: Fork): Sequence {
    const slot = this.#freeSlots.pop();
    if (slot === undefined) {
      throw new R1Error("E_KV_FULL", `all ${slotCount(this.sizes)} sequences of the session are in use`);
    }
    try {
      return new Sequence(this.#pool, slot, capacity, (freed) => this.#freeSlots.push(freed.slot), fork);
    } catch (error) {
      this.#freeSlots.push(slot);
      throw error;
    }
  }

  #checkTokens(sequence: Sequence, tokens: readonly number[]): void {
    const length = sequence.length + tokens.length;
    const most = Math.min(sequence.capacity, this.sizes.contextTokens);
    if (length > most)
      throw new R1Error("E_PROMPT_TOO_LONG", `${length} tokens; the context holds ${most}`, { length, most });
    checkTokenIds(this.spec, tokens);
  }

  #writeStep(rows: Uint32Array<ArrayBuffer>, seqs: Uint32Array<ArrayBuffer>, count: number): void {
    this.#context.write(this.#buffers.rows, rows);
    this.#context.write(this.#buffers.seqs, seqs);
    this.#context.write(this.#buffers.step, new Uint32Array([count, 0, 0, 0]));
  }

  /** Adds one packed chunk; `parts` holds at most `prefillRows` tokens in all, each sequence at most once. */
  #encodePrefill(
    batch: CommandBatch,
    parts: readonly { readonly sequence: Sequence; readonly tokens: readonly number[] }[],
  ): void {
    const total = parts.reduce((sum, part) => sum + part.tokens.length, 0);
    const rows = new Uint32Array(total * 4);
    const seqs = new Uint32Array(parts.length * 8);
    const tiles: number[] = [];
    let row = 0;
    parts.forEach(({ sequence, tokens }, i) => {
      const length = sequence.length + tokens.length;
      seqs.set([sequence.prefixBase, sequence.prefixLength, sequence.ownBase, length, row, tokens.length, 0, 0], i * 8);
      for (const start of this.#forward.attention.tileStarts(tokens.length)) tiles.push(i, start);
      for (const token of tokens) {
        const position = sequence.length;
        rows.set([token, position, sequence.row(position), sequence.slot], row * 4);
        sequence.tokens.push(token);
        row++;
      }
    });
    this.#writeStep(rows, seqs, total);
    this.#context.write(this.#buffers.tiles, Uint32Array.from(tiles));
    this.#forward.encodePrefill(batch, total, tiles.length / 2);
  }

  /** Scores `count` rows of `hidden` from `row` on, which hold positions from `position` on. */
  async #scoreRows(
    tokens: readonly number[],
    position: number,
    row: number,
    count: number,
    wantLogits: boolean,
  ): Promise<{ positions: ScoredPosition[]; logits?: Float32Array<ArrayBuffer> }> {
    const { hidden, normed, logits } = this.#buffers;
    const context = this.#context;
    const rowBytes = hidden.size / Math.max(this.sizes.prefillRows, this.sizes.maxSequences);
    const batch = context.commands();
    if (row > 0) {
      // The head reads rows from 0 on; a buffer cannot be copied onto itself.
      batch.copy(hidden, row * rowBytes, normed, 0, count * rowBytes);
      batch.copy(normed, 0, hidden, 0, count * rowBytes);
    }
    context.write(this.#buffers.step, new Uint32Array([count, 0, 0, 0]));
    this.#sampler.writeParams(
      Array.from({ length: count }, (_, i) => ({
        ...GREEDY,
        position: position + i,
        slot: 0,
        target: tokens[position + i + 1] ?? NO_TARGET,
        record: false,
      })),
    );
    this.#forward.encodeHead(batch, count);
    this.#sampler.encode(batch, count);
    const wait = this.#readback.enqueue(batch, this.#sampler.results, count * RESULT_BYTES);
    batch.submit();
    const results = decodeResults(await wait(), count);
    for (const [i, result] of results.entries()) requireLogits(result, position + i + 1);
    const positions = results.map((result, i): ScoredPosition => {
      const { entropy, argmax } = result;
      return position + i + 1 < tokens.length ? { argmax, entropy, logprob: result.logprob } : { argmax, entropy };
    });
    if (!wantLogits) return { positions };
    const scope = context.arena.scope("logits readback");
    try {
      const bytes = this.spec.vocabSize * 4;
      const readback = new Readback(context, scope, bytes, 1);
      const last = await readback.read(logits, bytes, (count - 1) * logitStride(this.spec) * 4);
      return { positions, logits: new Float32Array(last.buffer) };
    } finally {
      scope.dispose();
    }
  }
}
