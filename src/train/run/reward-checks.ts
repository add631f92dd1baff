import type { GrpoConfig } from "../config/grpo-config.ts";
import { rewardContext } from "../rewards/reward.ts";
import { parseRewards } from "../rewards/rewards.ts";
import { namedLines } from "./data-warnings.ts";
import type { DataWarning } from "./data-warnings.ts";
import type { ProblemSource, RunProblem } from "./problems.ts";

/** A completion that every reward can judge, if it can judge the row. */
const PROBE = "<think>\nWe see.\n</think>\n<answer>\n0\n</answer>";
/** Rows that are looked at; more would be waited for. */
const MOST_ROWS = 20_000;
/** Of a row's columns, in a complaint. */
const SHOWN_CHARACTERS = 120;
/** Of a task, whose problems all have the same columns. */
const TASK_PROBLEMS = 8;

/**
 * Finds out before the first step which rewards cannot judge which rows: for want of a column, or of a gold answer that
 * the grader can read. Each reward is asked itself.
 */
export function checkRewards(config: GrpoConfig, problems: ProblemSource): readonly DataWarning[] {
  return [...checkTraining(config, problems), ...checkEvaluation(config, problems)];
}

/** An evaluation asks for the accuracy, whatever the rewards are. */
function checkEvaluation(config: GrpoConfig, { rows }: ProblemSource): readonly DataWarning[] {
  const { reward_funcs, eval_every, eval_prompts, dataset } = config;
  if (!rows || eval_every === 0 || reward_funcs.includes("accuracy")) return [];
  const heldout = rows.heldout.slice(0, eval_prompts);
  const [applies = []] = applicable(config, ["accuracy"], heldout);
  const missed = heldout.filter((_, i) => applies[i] === false);
  if (missed.length === 0) return [];
  const message = `${dataset}: an evaluation's accuracy does not apply to ${counted(missed, heldout)}, which count as wrong`;
  return [{ code: "REWARD_NOT_APPLICABLE", message }];
}

function checkTraining(config: GrpoConfig, problems: ProblemSource): readonly DataWarning[] {
  const rows = problems.rows
    ? [...problems.rows.training, ...problems.rows.heldout].slice(0, MOST_ROWS)
    : Array.from({ length: TASK_PROBLEMS }, (_, i) => problems.training(0, i, TASK_PROBLEMS));
  const source = config.dataset ?? `task ${config.task}`;
  const applies = applicable(config, config.reward_funcs, rows);
  const without = rows.filter((_, i) => applies.every((column) => column[i] === false));
  if (without.length > 0) {
    const message = `${source}: no reward function of ${config.reward_funcs.join(", ")} applies to ${counted(without, rows)}; nothing is learnt from them`;
    return [{ code: "NO_REWARD", message }, ...notApplying(config, applies, rows, without, source)];
  }
  return notApplying(config, applies, rows, without, source);
}

/** By function and row, whether the function can judge a completion of the row. */
function applicable(
  config: GrpoConfig,
  names: readonly string[],
  rows: readonly RunProblem[],
): readonly (readonly boolean[])[] {
  const context = rewardContext(config);
  return parseRewards(names).map((reward) => {
    const known = new Map<string, boolean>();
    return rows.map(({ columns, verify }) => {
      const key = JSON.stringify(columns);
      const before = known.get(key);
      if (before !== undefined) return before;
      const item = { completion: PROBE, ids: [0], finished: true, columns, ...(verify ? { verify } : {}) };
      const judged = judges(() => reward.score([item], context, 1)[0] ?? null);
      known.set(key, judged);
      return judged;
    });
  });
}

function notApplying(
  { reward_funcs }: GrpoConfig,
  applies: readonly (readonly boolean[])[],
  rows: readonly RunProblem[],
  /** Said already. */
  without: readonly RunProblem[],
  source: string,
): readonly DataWarning[] {
  return reward_funcs.flatMap((name, k): DataWarning[] => {
    const missed = rows.filter((_, i) => applies[k]?.[i] === false);
    if (missed.length === 0 || missed.length === without.length) return [];
    return [
      {
        code: "REWARD_NOT_APPLICABLE",
        message: `${source}: reward function ${name} does not apply to ${counted(missed, rows)}`,
      },
    ];
  });
}

function counted(some: readonly RunProblem[], all: readonly RunProblem[]): string {
  const lines = some.flatMap(({ line }) => (line === undefined ? [] : [line]));
  // A task's problems are all alike.
  if (lines.length === 0) return "its problems";
  const columns = JSON.stringify(some[0]?.columns) ?? "";
  const shown = columns.length > SHOWN_CHARACTERS ? `${columns.slice(0, SHOWN_CHARACTERS)}…` : columns;
  return `${some.length} of ${all.length} rows (${namedLines(lines)}; line ${lines[0]} is judged by ${shown})`;
}

/** A reward that throws is told as that when it happens. */
function judges(score: () => number | null): boolean {
  try {
    return score() !== null;
  } catch {
    return true;
  }
}
