import type { SampleResult, SamplingOptions } from "../kernels/sample/sample.ts";
import type { Alternative } from "../kernels/sample/top-alternatives.ts";
import type { ModelSpec } from "./spec.ts";

/** How one row's next token is chosen; see the sample kernel for the order of the filters. */
export interface RowSampling extends SamplingOptions {
  readonly seed: number;
  /** Random stream of this sequence: samples of one prompt differ by it. */
  readonly stream: number;
}

/** One sequence's tokens in a model's cache. */
export interface CachedSequence {
  /** Tokens whose keys and values are in the cache, a prefix shared with another sequence included. */
  readonly tokens: readonly number[];
  readonly length: number;
  /** Forgets the tokens from `length` on, so that what comes next takes their place. */
  truncate(length: number): void;
  /** Gives its place back, once nothing reads it any more. */
  free(): void;
}

/** What a sequence had in a session's cache, outside of it. */
export interface KeptSequence {
  readonly tokens: readonly number[];
  /** Frees it; what was resumed from it stays. */
  dispose(): void;
}

export interface StepRow<S extends CachedSequence = CachedSequence> {
  readonly sequence: S;
  /** The input token; left out, it is the token last sampled in this sequence. */
  readonly token?: number;
  /** Score this token instead of choosing one; it becomes the sequence's next token. */
  readonly target?: number;
  readonly sampling: RowSampling;
}

export interface StepResult extends SampleResult {
  readonly alternatives?: readonly Alternative[];
}

export interface PrefillEntry<S extends CachedSequence = CachedSequence> {
  readonly sequence: S;
  readonly tokens: readonly number[];
}

/**
 * A model with its cache, as the decode loop sees it, whoever computes it: this project's kernels, or ONNX Runtime.
 * Sequences are its own; they go back to the model that opened them.
 */
export interface LanguageModel {
  readonly spec: Pick<ModelSpec, "vocabSize">;
  readonly sizes: {
    /** Sequences that decode together, at most. */
    readonly maxSequences: number;
    /** The longest sequence. */
    readonly contextTokens: number;
  };
  /** A step may be submitted before the last one's tokens are read, and gains by it. */
  readonly runsAhead: boolean;
  /**
   * Opens an empty sequence.
   * @param capacity tokens it can come to hold
   * @throws R1Error E_KV_FULL
   */
  open(capacity: number): CachedSequence;
  /**
   * Opens a sequence that begins with a prefix of `parent`.
   * @param prefix what the parent holds, or will hold before the first step of the new sequence
   * @param capacity tokens the sequence can come to hold, prefix included
   * @throws R1Error E_KV_FULL
   */
  fork(parent: CachedSequence, prefix: readonly number[], capacity: number): CachedSequence;
  /**
   * Runs tokens through the model into the cache.
   * @throws R1Error E_PROMPT_TOO_LONG, E_TOKEN_RANGE, E_ABORTED (what is cached stays valid)
   */
  prefill(entries: readonly PrefillEntry[], signal?: AbortSignal): Promise<void>;
  /** Makes ready what {@link LanguageModel.submitStep} needs for alternatives. */
  prepareAlternatives(): Promise<void>;
  /**
   * Appends one token to each sequence and samples the next.
   * @param alternatives report the most probable tokens too
   * @returns the wait for the results
   * @throws R1Error E_PROMPT_TOO_LONG when a sequence is full, E_DEVICE_LOST
   */
  submitStep(rows: readonly StepRow[], alternatives?: boolean): () => Promise<StepResult[]>;
  /**
   * Copies what a sequence has in the cache, so that another session of the same model can go on with it after this one has been
   * disposed of.
   * @throws R1Error E_OUT_OF_MEMORY; nothing stays allocated then
   */
  keep(sequence: CachedSequence): Promise<KeptSequence>;
  /**
   * Opens a sequence that has in the cache what was kept; its cache must be of the same format.
   * @param capacity tokens it can come to hold
   * @throws R1Error E_KV_FULL
   */
  resume(kept: KeptSequence, capacity: number): CachedSequence;
  /** Marks tokens as already in a sequence, for the repetition penalty. */
  markSeen(sequence: CachedSequence, tokens: readonly number[]): void;
  dispose(): void;
}
