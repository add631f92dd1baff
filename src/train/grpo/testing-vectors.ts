import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { DATA, FIXTURES, hasData } from "../../testing-data.ts";
import type { GrpoLossOptions } from "./loss.ts";

type Table<T = number> = readonly (readonly T[])[];

/** A case of the fixture `grpo/loss.json`; tables are [completion][token], completions in prompt-major order. */
export interface LossCase extends Pick<
  GrpoLossOptions,
  | "loss_type"
  | "importance_sampling_level"
  | "kl_estimator"
  | "beta"
  | "epsilon"
  | "epsilon_high"
  | "max_completion_length"
> {
  readonly num_generations: number;
  /** [prompt][generation] */
  readonly rewards: Table;
  readonly advantages: Readonly<Record<"group" | "none" | "batch" | "rloo", Table>>;
  readonly advantages_used: "group" | "none" | "batch" | "rloo";
  readonly frac_reward_zero_std: number;
  readonly mask: Table;
  readonly logp: Table;
  readonly old_logp: Table;
  readonly ref_logp: Table;
  readonly loss: number;
  readonly grad_logp: Table;
  readonly stats: Readonly<Record<string, number>>;
}

export const LOSS_CASES = (
  JSON.parse(readFileSync(join(FIXTURES, "grpo/loss.json"), "utf8")) as { readonly cases: readonly LossCase[] }
).cases;

/** The numbers of other projects' own tests: `grpo-vectors.json`, where it is there. */
export interface PublishedVectors {
  readonly advantages: readonly [
    {
      readonly rewards: Table;
      readonly num_generations: number;
      readonly std_ddof: 0 | 1;
      readonly eps: number;
      readonly expected: Table;
      readonly atol: number;
    },
    {
      readonly std_ddof: 0 | 1;
      readonly cases: readonly (readonly [readonly number[], readonly number[]])[];
      readonly atol: number;
    },
  ];
  readonly kl_k3: {
    readonly per_token_logps: readonly Table[];
    readonly ref_per_token_logps: readonly Table[];
    readonly expected: readonly Table[];
    readonly atol: number;
    readonly rtol: number;
  };
  readonly high_entropy_mask: {
    readonly cases: readonly {
      readonly entropies: Table;
      readonly mask: Table;
      readonly threshold: number;
      readonly expected: Table;
    }[];
  };
  readonly off_policy_mask: {
    readonly cases: readonly {
      readonly mask: Table;
      readonly advantages: Table;
      readonly sampling_logps: Table;
      readonly logps: Table;
      readonly threshold: number;
      readonly expected: Table;
    }[];
  };
  readonly nanstd: { readonly cases: readonly (readonly [readonly (number | null)[], number])[] };
  readonly weighted_reward_metric: {
    readonly rewards: readonly number[];
    readonly weights: readonly number[];
    readonly logged_reward: number;
  };
}

const PUBLISHED = "grpo/grpo-vectors.json";
export const hasPublishedVectors = hasData(PUBLISHED);

export function publishedVectors(): PublishedVectors {
  return JSON.parse(readFileSync(join(DATA, PUBLISHED), "utf8")) as PublishedVectors;
}

/** Each value within `absolute` + `relative` · |expected|. */
export function expectClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  absolute = 1e-8,
  relative = 0,
  message = "",
): void {
  expect(found.length, message).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const wanted = expected[i] ?? NaN;
    const distance = Math.abs((found[i] ?? NaN) - wanted);
    expect(distance, `${message}[${i}]: ${found[i]}, expected ${wanted}`).toBeLessThanOrEqual(
      absolute + relative * Math.abs(wanted),
    );
  }
}
