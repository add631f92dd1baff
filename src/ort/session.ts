import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { LanguageModel, PrefillEntry, StepResult, StepRow } from "../model/language-model.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import type { ModelSpec } from "../model/spec.ts";
import { checkTokenIds } from "../model/token-ids.ts";
import { CacheBlock, gather } from "./cache-block.ts";
import type { CachePlace, CacheShape } from "./cache-block.ts";
import { ortFailure } from "./failure.ts";
import { LOGITS_TO_KEEP, presentName } from "./graph-inputs.ts";
import type { OrtRuntime } from "./runtime.ts";
import { asFloats, sampleRow } from "./sampling.ts";
import { KeptOrtSequence, OrtSequence } from "./sequence.ts";

/** A graph that ONNX Runtime has loaded, with what is known of it. */
export interface OrtGraph {
  readonly runtime: OrtRuntime;
  readonly session: InferenceSession;
  readonly spec: ModelSpec;
  readonly cache: CacheShape;
}

/** Sequences of one length that are run together, and where each stands in the request. */
interface Group {
  readonly rows: StepRow<OrtSequence>[];
  readonly places: number[];
}

/**
 * ONNX Runtime behind the interface of this project's own session. Sequences of equal length (the samples of a prompt) run
 * as one batch; the cache is what the graph gave out last, and goes in again as it is while the same ones go on.
 */
export class OrtSession implements LanguageModel {
  readonly sizes: SessionSizes;
  readonly spec: ModelSpec;
  /** The sampler runs here, so a step cannot begin before the last one's tokens are known. */
  readonly runsAhead = false;
  readonly #graph: OrtGraph;
  /** Steps and prefills run one after another. */
  #tail: Promise<unknown> = Promise.resolve();
  #reserved = 0;

  constructor(graph: OrtGraph, sizes: SessionSizes) {
    this.#graph = graph;
    this.spec = graph.spec;
    this.sizes = sizes;
  }

  open(capacity: number): OrtSequence {
    return this.#place(capacity, capacity);
  }

  fork(parent: OrtSequence, prefix: readonly number[], capacity: number): OrtSequence {
    return this.#place(capacity, capacity - prefix.length, parent, prefix);
  }

  prefill(entries: readonly PrefillEntry<OrtSequence>[], signal?: AbortSignal): Promise<void> {
    return this.#inTurn(async () => {
      for (const { sequence, tokens } of entries) this.#checkTokens(sequence, tokens);
      for (const { sequence, tokens } of entries) {
        for (let at = 0; at < tokens.length; at += this.sizes.prefillRows) {
          throwIfAborted(signal);
          await this.#advance([sequence], [tokens.slice(at, at + this.sizes.prefillRows)], false);
        }
      }
    });
  }

  /** Alternatives are picked from the logits, which are here anyway. */
  prepareAlternatives(): Promise<void> {
    return Promise.resolve();
  }

  submitStep(rows: readonly StepRow<OrtSequence>[], alternatives = false): () => Promise<StepResult[]> {
    const work = this.#inTurn(() => this.#step(rows, alternatives));
    // A step that nobody waits for any more must not end the worker.
    work.catch(() => undefined);
    return () => work;
  }

  /** A block of tensors belongs to no session: what is kept is one more reference to it. */
  keep(sequence: OrtSequence): Promise<KeptOrtSequence> {
    return Promise.resolve(new KeptOrtSequence(sequence));
  }

  resume(kept: KeptOrtSequence, capacity: number): OrtSequence {
    const sequence = this.open(capacity);
    kept.giveTo(sequence);
    return sequence;
  }

  markSeen(sequence: OrtSequence, tokens: readonly number[]): void {
    sequence.seen.clear();
    for (const token of tokens) sequence.seen.add(token);
  }

  /** The cache goes with its sequences. */
  dispose(): void {
    this.#reserved = 0;
  }

  #place(capacity: number, own: number, parent?: OrtSequence, prefix?: readonly number[]): OrtSequence {
    const most = this.sizes.kvTokens;
    if (this.#reserved + own > most) {
      throw new R1Error("E_KV_FULL", `${own} more tokens; ${this.#reserved} of the cache's ${most} are in use`);
    }
    this.#reserved += own;
    return new OrtSequence(capacity, () => (this.#reserved -= own), parent, prefix);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(work, work);
    this.#tail = run.catch(() => undefined);
    return run;
  }

  #checkTokens(sequence: OrtSequence, tokens: readonly number[]): void {
    const length = sequence.length + tokens.length;
    const most = Math.min(sequence.capacity, this.sizes.contextTokens);
    if (length > most)
      throw new R1Error("E_PROMPT_TOO_LONG", `${length} tokens; the context holds ${most}`, { length, most });
    checkTokenIds(this.spec, tokens);
  }

  async #step(rows: readonly StepRow<OrtSequence>[], alternatives: boolean): Promise<StepResult[]> {
    const groups = new Map<number, Group>();
    rows.forEach((row, at) => {
      this.#checkTokens(row.sequence, [row.token ?? 0]);
      const group = groups.get(row.sequence.length) ?? { rows: [], places: [] };
      group.rows.push(row);
      group.places.push(at);
      groups.set(row.sequence.length, group);
    });
    const results: StepResult[] = [];
    const { vocabSize } = this.spec;
    for (const { rows: together, places } of groups.values()) {
      const sequences = together.map(({ sequence }) => sequence);
      const inputs = together.map(({ token }) => {
        if (token === undefined) throw new R1Error("E_INTERNAL", "ONNX Runtime has no token sampled last; give one");
        return [token];
      });
      const logits = await this.#advance(sequences, inputs, true);
      together.forEach((row, i) => {
        const own = logits.subarray(i * vocabSize, (i + 1) * vocabSize);
        results[places[i] ?? 0] = sampleRow(own, row, row.sequence.length, alternatives);
      });
    }
    return results;
  }

  /**
   * Appends as many tokens to each sequence, all of which have the same length.
   * @returns logits [sequences, vocab] of the last token, where they are wanted
   */
  async #advance(
    sequences: readonly OrtSequence[],
    tokens: readonly (readonly number[])[],
    wantLogits: boolean,
  ): Promise<Float32Array> {
    const { runtime, session, cache } = this.#graph;
    const length = sequences[0]?.length ?? 0;
    const count = tokens[0]?.length ?? 0;
    const rows = sequences.length;
    const past = gather(runtime, cache, length === 0 ? sequences.map(() => undefined) : placesOf(sequences), length);
    past.retain();
    try {
      const all: Readonly<Record<string, Tensor>> = {
        ...this.#inputs(tokens, length),
        ...Object.fromEntries(past.tensors),
      };
      const feeds = Object.fromEntries(Object.entries(all).filter(([name]) => session.inputNames.includes(name)));
      const fetches = [...cache.names.map(presentName), ...(wantLogits ? ["logits"] : [])];
      const results = await ran(session.run(feeds, fetches));
      const present = cache.names.flatMap((name): [string, Tensor][] => {
        const tensor = results[presentName(name)];
        return tensor ? [[name, tensor]] : [];
      });
      const block = new CacheBlock(rows, length + count, new Map(present));
      sequences.forEach((sequence, row) => {
        sequence.moveTo({ block, row });
        sequence.tokens.push(...(tokens[row] ?? []));
      });
      const logits = results["logits"];
      return logits ? asFloats(logits.data) : new Float32Array();
    } finally {
      past.release();
    }
  }

  #inputs(tokens: readonly (readonly number[])[], length: number) {
    const { ort } = this.#graph.runtime;
    const rows = tokens.length;
    const count = tokens[0]?.length ?? 0;
    const int64 = (values: readonly number[], columns: number): Tensor =>
      new ort.Tensor("int64", BigInt64Array.from(values, BigInt), [rows, columns]);
    return {
      input_ids: int64(tokens.flat(), count),
      attention_mask: int64(
        Array.from({ length: rows * (length + count) }, () => 1),
        length + count,
      ),
      position_ids: int64(
        Array.from({ length: rows * count }, (_, i) => length + (i % count)),
        count,
      ),
      // The last one's alone, whether they are wanted or not.
      [LOGITS_TO_KEEP]: new ort.Tensor("int64", BigInt64Array.of(1n), []),
    };
  }
}

function placesOf(sequences: readonly OrtSequence[]): readonly CachePlace[] {
  return sequences.map(({ place }) => {
    if (!place) throw new R1Error("E_INTERNAL", "a sequence with tokens has no cache");
    return place;
  });
}

/** @throws R1Error E_OUT_OF_MEMORY, E_WORKER, E_INTERNAL for what ONNX Runtime throws */
async function ran<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw ortFailure(cause, "E_INTERNAL", "ONNX Runtime");
  }
}
