/** What a run tells while it trains; plain data, which crosses the worker boundary and is recorded as it is. */

/** Values by TRL's metric names; an evaluation's begin with `eval_`. */
export type Metrics = Readonly<Record<string, number>>;

/** A token of a completion. Log probabilities in nats at the sampling temperature; NaN where there is none. */
export interface CompletionToken {
  readonly id: number;
  /** What it adds to the text; empty for a part of a character that a later token completes. */
  readonly text: string;
  /** Under the policy that is trained. */
  readonly logp: number;
  /** Under the policy that sampled, by the trainer's kernels. */
  readonly old_logp: number;
  /** Under the reference policy. */
  readonly ref_logp?: number;
  /** exp(logp − old_logp), or the completion's at sequence level. */
  readonly ratio: number;
  /** Of the distribution the token was drawn from, in nats. */
  readonly entropy: number;
  /** Under the policy that sampled, by the sampler's kernels. */
  readonly sampling_logp?: number;
}

export const FINISH_REASONS = ["eos", "length"] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

export interface CompletionRecord {
  readonly step: number;
  /** Index of its prompt in the step; completions of a group are compared with each other. */
  readonly group: number;
  readonly prompt: string;
  readonly completion: string;
  /** By reward function, unweighted; null where it does not apply. */
  readonly rewards: Readonly<Record<string, number | null>>;
  /** Weighted sum; null where no function applies. */
  readonly reward: number | null;
  readonly advantage: number;
  /** Tokens, the end-of-sequence token included. */
  readonly length: number;
  readonly finish_reason: FinishReason;
  /** Mean over its tokens, in nats. */
  readonly kl?: number;
  /** Share of its tokens whose ratio was clipped. */
  readonly clip_fraction?: number;
  readonly tokens?: readonly CompletionToken[];
}

/** An update of the weights is done. */
export interface TrainStepEvent {
  readonly type: "step";
  /** Updates done, this one included: the first is 1, as in TRL's log. */
  readonly step: number;
  readonly metrics: Metrics;
  readonly completions: readonly CompletionRecord[];
}

/** Held-out prompts were answered. */
export interface TrainEvalEvent {
  readonly type: "eval";
  readonly step: number;
  readonly metrics: Metrics;
}

/** A checkpoint is written. */
export interface TrainSavedEvent {
  readonly type: "saved";
  readonly step: number;
  readonly path: string;
}

export const TRAIN_WARNING_CODES = [
  /** Every group's rewards are equal: the step has nothing to learn from. */
  "DEAD_GROUPS",
  /** Loss or gradient is not finite: the update was left out. */
  "NON_FINITE",
  /** A metric is not finite: it was left out of the step. */
  "METRIC_NON_FINITE",
  /** A reward function threw: its value is null. */
  "REWARD_FAILED",
  /** To some completions no reward function applies: nothing is learnt from them. */
  "NO_REWARD",
  /** A reward function applies to none of the completions, or not to rows of the dataset. */
  "REWARD_NOT_APPLICABLE",
  /** No token of the step's batch counts: the update was left out, or changes nothing. */
  "NOTHING_SCORED",
  /** Rows of the dataset are left out. */
  "ROWS_DROPPED",
  /** Rows of the dataset are longer than a run takes, and are cut. */
  "ROWS_TRUNCATED",
  /** Completions leave the thought open that the chat template has opened. */
  "THOUGHT_NOT_CLOSED",
  /** Sampler and trainer disagree about log probabilities. */
  "SAMPLING_MISMATCH",
  /** An option has no effect, such as `warmup_steps` with a constant schedule. */
  "OPTION_IGNORED",
] as const;
export type TrainWarningCode = (typeof TRAIN_WARNING_CODES)[number];

export interface TrainWarningEvent {
  readonly type: "warning";
  /** 0 for what is said of the data before the first step. */
  readonly step: number;
  readonly code: TrainWarningCode;
  readonly message: string;
}

/** The run has ended: all its steps are done, or it was stopped. */
export interface TrainDoneEvent {
  readonly type: "done";
  readonly step: number;
  readonly reason: "finished" | "stopped";
}

export type TrainEvent = TrainStepEvent | TrainEvalEvent | TrainSavedEvent | TrainWarningEvent | TrainDoneEvent;
