import { splitThought, taggedAnswer } from "../../text/split.ts";
import type { Metrics } from "../events.ts";
import { DEFAULT_REWARD_CONTEXT } from "../rewards/reward.ts";
import { parseRewards } from "../rewards/rewards.ts";
import { PURPOSE } from "./environment.ts";
import type { ProblemSource, RunProblem } from "./problems.ts";
import type { Rollout, Sampler, SamplingSettings } from "./rollout.ts";

export interface EvaluationOptions {
  /** Held-out problems, and completions of each. */
  readonly prompts: number;
  readonly samples: number;
  readonly seed: number;
  readonly settings: SamplingSettings;
}

/** How a model does on held-out problems. */
export interface Evaluation {
  /** Share of right completions. */
  readonly accuracy: number;
  /** Share of problems with at least one right completion among k = `samples`. */
  readonly pass_at_k: number;
  /** Share of problems whose most frequent answer is right; ties go to the first (Wang et al. 2022). */
  readonly cons_at_k: number;
  /** Share of completions in `<think>…</think><answer>…</answer>` form. */
  readonly format: number;
  /** Tokens of a completion on average, the end-of-sequence token included. */
  readonly mean_length: number;
  /** Problems. */
  readonly n: number;
  readonly samples: number;
}

/** Answers held-out problems and counts; sampled with the run's seed, the same problems every time. */
export async function evaluate(
  sampler: Sampler,
  problems: ProblemSource,
  { prompts, samples, seed, settings }: EvaluationOptions,
  signal?: AbortSignal,
): Promise<Evaluation> {
  const chosen: RunProblem[] = [];
  for (let i = 0; i < prompts; i++) {
    const problem = problems.heldout(i);
    if (!problem) break;
    chosen.push(problem);
  }
  const rollouts = await sampler.sample(
    chosen.map((problem) => problem.input),
    samples,
    settings,
    { seed, path: [PURPOSE.evaluation] },
    signal,
  );
  return summarise(chosen, rollouts, samples, settings.maxNewTokens);
}

function summarise(
  problems: readonly RunProblem[],
  rollouts: readonly Rollout[],
  samples: number,
  maxCompletionLength: number,
): Evaluation {
  const items = rollouts.map(({ text, ids, finished, prompt }) => {
    const { columns = {}, verify } = problems[prompt] ?? {};
    return { completion: text, ids, finished, columns, ...(verify ? { verify } : {}) };
  });
  const context = { ...DEFAULT_REWARD_CONTEXT, maxCompletionLength };
  const [accuracy = [], format = []] = parseRewards(["accuracy", "format"]).map((reward) =>
    reward.score(items, context, samples),
  );
  const right = accuracy.map((value) => (value ?? 0) >= 1);
  let passed = 0;
  let agreed = 0;
  problems.forEach((_, p) => {
    const own = rollouts.slice(p * samples, (p + 1) * samples);
    const rightOnes = right.slice(p * samples, (p + 1) * samples);
    if (rightOnes.includes(true)) passed++;
    const voted = majority(own.map(({ text }) => answerText(text)));
    if (voted !== undefined && rightOnes[voted] === true) agreed++;
  });
  const n = problems.length;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
  return {
    accuracy: mean(right.map(Number)),
    pass_at_k: passed / Math.max(1, n),
    cons_at_k: agreed / Math.max(1, n),
    format: mean(format.map((value) => value ?? 0)),
    mean_length: mean(rollouts.map(({ ids }) => ids.length)),
    n,
    samples,
  };
}

/** What is voted on: the tagged answer, else what follows the thought. */
function answerText(text: string): string {
  return (taggedAnswer(text) ?? splitThought(text, { startsInThink: false }).answer).replace(/\s+/g, " ").trim();
}

/** Index of the first completion with the most frequent answer. */
function majority(answers: readonly string[]): number | undefined {
  const counts = new Map<string, number>();
  for (const answer of answers) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  const first = answers.findIndex((answer) => counts.get(answer) === most);
  return first < 0 ? undefined : first;
}

/** An evaluation as a run's metrics: TRL's prefix. */
export function evaluationMetrics(evaluation: Evaluation): Metrics {
  return Object.fromEntries(Object.entries({ ...evaluation }).map(([name, value]) => [`eval_${name}`, value]));
}
