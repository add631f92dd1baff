/** One completion to be scored. */
export interface RewardItem {
  /** Full completion text, tags included (a pre-filled `<think>` of the prompt already prepended). */
  readonly completion: string;
  /** Completion token ids. */
  readonly ids: readonly number[];
  /** Ended by EOS rather than by the length limit. */
  readonly finished: boolean;
  /** Columns of the dataset row (TRL): `solution`, `numbers`, `target`, `language`, … */
  readonly columns: Readonly<Record<string, unknown>>;
  /** The task's own checker, where the row came from a task. */
  readonly verify?: (completion: string) => boolean;
}

/** Parameters of all rewards; {@link DEFAULT_REWARD_CONTEXT} has the defaults of TRL and open-r1. */
export interface RewardContext {
  /** `soft_overlong`: tokens a completion may have. */
  readonly maxCompletionLength: number;
  /** `soft_overlong`: the last tokens before the limit, over which the reward falls to −1. */
  readonly softPunishCache: number;
  /** `cosine`: the four ends of the two curves, and the length in tokens at which they end. */
  readonly cosineMinValueWrong: number;
  readonly cosineMaxValueWrong: number;
  readonly cosineMinValueCorrect: number;
  readonly cosineMaxValueCorrect: number;
  readonly cosineMaxLen: number;
  /** `repetition`, `repetition_words`: size of the n-grams, and the (negative) reward of pure repetition. */
  readonly repetitionNGrams: number;
  readonly repetitionMaxPenalty: number;
}

export const DEFAULT_REWARD_CONTEXT: RewardContext = {
  maxCompletionLength: 512,
  softPunishCache: 64,
  cosineMinValueWrong: -1,
  cosineMaxValueWrong: -0.5,
  cosineMinValueCorrect: 0.5,
  cosineMaxValueCorrect: 1,
  cosineMaxLen: 1000,
  repetitionNGrams: 3,
  repetitionMaxPenalty: -1,
};

/** The parameters that a run's configuration sets; the others keep their defaults. */
export function rewardContext(config: {
  readonly max_completion_length: number;
  readonly soft_punish_cache: number | null;
}): RewardContext {
  return {
    ...DEFAULT_REWARD_CONTEXT,
    cosineMaxLen: config.max_completion_length,
    maxCompletionLength: config.max_completion_length,
    softPunishCache: config.soft_punish_cache ?? 0,
  };
}

/**
 * TRL: `fn(completions, **columns) -> list[float | None]`; null leaves the row out. Items come in groups of
 * `groupSize` consecutive rows of the same prompt.
 */
export interface Reward {
  /** Key of the table, and the name in `rewards/{name}/mean`. */
  readonly name: string;
  readonly description: string;
  readonly score: (
    items: readonly RewardItem[],
    context: RewardContext,
    groupSize: number,
  ) => readonly (number | null)[];
}

/** A reward that looks at one completion at a time. */
export function perItem(
  name: string,
  description: string,
  score: (item: RewardItem, context: RewardContext) => number | null,
): Reward {
  return { name, description, score: (items, context) => items.map((item) => score(item, context)) };
}
