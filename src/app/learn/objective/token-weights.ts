import { LOSS_TYPES } from "../../../train/grpo/estimators.ts";
import type { LossTypeName } from "../../../train/grpo/estimators.ts";

export const LOSS_TYPE_NAMES = ["grpo", "bnpo", "dapo", "dr_grpo", "cispo"] as const satisfies readonly LossTypeName[];

export interface WeightSettings {
  /** Tokens of each completion of the step. */
  readonly lengths: readonly number[];
  readonly maxCompletionLength: number;
  /** Each completion is a micro-batch of its own (gradient accumulation), else all are one. */
  readonly accumulates: boolean;
}

export interface CompletionWeight {
  /** What each of its tokens' terms is multiplied by. */
  readonly token: number;
  /** The same for all its tokens together: its say in the update. */
  readonly completion: number;
}

/** How much each completion's tokens weigh in a loss, by the trainer's own table. */
export function tokenWeights(
  lossType: LossTypeName,
  { lengths, maxCompletionLength, accumulates }: WeightSettings,
): readonly CompletionWeight[] {
  const all = { activeTokens: lengths.reduce((sum, length) => sum + length, 0), completions: lengths.length };
  return lengths.map((length) => {
    const batch = accumulates ? { activeTokens: length, completions: 1 } : all;
    const token = LOSS_TYPES[lossType].tokenWeight({
      ...batch,
      completionTokens: length,
      totals: all,
      maxCompletionLength,
    });
    return { token, completion: token * length };
  });
}
