import type { Channel } from "../text/channels.ts";
import type { Alternative } from "../kernels/sample/top-alternatives.ts";

/** Why a sample ended: a stop token, its length, or the caller. */
export type FinishReason = "stop" | "length" | "aborted";

/** What the model might have said instead. */
export interface TokenAlternative extends Alternative {
  /** The token by itself, as in {@link TokenEvent.piece}. */
  readonly piece: string;
}

/** One token of one sample. */
export interface TokenEvent {
  readonly type: "token";
  /** Index of the prompt in the request. */
  readonly prompt: number;
  /** Which of the prompt's n samples. */
  readonly sample: number;
  /** 0 for the first generated token. */
  readonly index: number;
  readonly id: number;
  /** Text that this token completes; empty for tags, stop tokens and parts of characters. */
  readonly text: string;
  readonly channel: Channel;
  /** Under temperature 1 and the model's whole distribution, in nats. */
  readonly logprob: number;
  /** Of that distribution, in nats. */
  readonly entropy: number;
  /** Set when budget forcing chose the token, not the model. */
  readonly forced?: "think-min" | "think-max";
  /** The most probable tokens, on request. */
  readonly alternatives?: readonly TokenAlternative[];
  /** The token by itself, tags and special tokens too; with alternatives. Part of a character is U+FFFD. */
  readonly piece?: string;
  /** Milliseconds since the request began. */
  readonly at: number;
}

/** The whole of one sample. */
export interface Completion {
  /** Generated ids, the stop token included. */
  readonly ids: readonly number[];
  /** All text, tags included. */
  readonly text: string;
  readonly think: string;
  readonly answer: string;
  readonly logprobs: readonly number[];
  readonly entropies: readonly number[];
  readonly finishReason: FinishReason;
}

export interface GenerateStats {
  readonly promptTokens: number;
  /** Prompt tokens that were still in the cache from the turn before. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Completion tokens of all samples per second of decoding. */
  readonly tokensPerSecond: number;
}

export type GenerateEvent =
  | {
      readonly type: "prefilled";
      readonly prompt: number;
      readonly promptTokens: number;
      readonly cachedTokens: number;
      readonly at: number;
    }
  | TokenEvent
  | { readonly type: "finished"; readonly prompt: number; readonly sample: number; readonly completion: Completion }
  | { readonly type: "done"; readonly stats: GenerateStats };
