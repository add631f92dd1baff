import { ADVANTAGE_EPS, groupAdvantages } from "../../../train/grpo/advantages.ts";
import type { ScaleRewards } from "../../../train/grpo/advantages.ts";

/** The three values a completion has on the way from its reward to its advantage. */
export const STAGES = ["reward", "centred", "advantage"] as const;
export type Stage = (typeof STAGES)[number];

export interface GroupFigures {
  readonly values: Readonly<Record<Stage, readonly number[]>>;
  readonly mean: number;
  readonly std: number;
  readonly batchStd: number;
  /** All rewards are equal, so that every advantage is 0. */
  readonly isDead: boolean;
}

/**
 * A group's way from rewards to advantages, by the trainer's own function.
 * @param others rewards of the batch's other group, which is as large
 */
export function groupFigures(rewards: readonly number[], others: readonly number[], scale: ScaleRewards): GroupFigures {
  const size = rewards.length;
  const rows = [...rewards, ...others].map((reward) => [reward]);
  const scaled = groupAdvantages(rows, { num_generations: size, scale_rewards: scale });
  const centred = groupAdvantages(rows, { num_generations: size, scale_rewards: "none" });
  const std = scaled.groups[0]?.std ?? 0;
  return {
    values: {
      reward: rewards,
      centred: centred.advantages.slice(0, size),
      advantage: scaled.advantages.slice(0, size),
    },
    mean: scaled.groups[0]?.mean ?? 0,
    std,
    batchStd: scaled.reward_std ?? 0,
    // Equal rewards leave rounding behind, far below what the trainer adds to a deviation.
    isDead: std < ADVANTAGE_EPS / 1000,
  };
}

/** Chance that all completions of a group are right or all are wrong. */
export function deadShare(right: number, size: number): number {
  return right ** size + (1 - right) ** size;
}
