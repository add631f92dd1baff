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
  const rows = problems.rows
    ? [...problems.rows.training, ...problems.rows.heldout].slice(0, MOST_ROWS)
    : Array.from({ length: TASK_PROBLEMS }, (_, i) => problems.training(0, i, TASK_PROBLEMS));
  const context = rewardContext(config);
  const source = config.dataset ?? `task ${config.task}`;
  const applies = parseRewards(config.reward_funcs).map((reward) => {
    const known = new Map<string, boolean>();
    return rows.map(({ columns, verify }) => {
      const key = verify ? "" : JSON.stringify(columns);
      const before = known.get(key);
      if (before !== undefined && !verify) return before;
      const item = { completion: PROBE, ids: [0], finished: true, columns, ...(verify ? { verify } : {}) };
      const judged = judges(() => reward.score([item], context, 1)[0] ?? null);
      known.set(key, judged);
      return judged;
    });
  });
  const without = rows.filter((_, i) => applies.every((column) => column[i] === false));
  if (without.length > 0) {
    const message = `${source}: no reward function of ${config.reward_funcs.join(", ")} applies to ${counted(without, rows)}; nothing is learnt from them`;
    return [{ code: "NO_REWARD", message }, ...notApplying(config, applies, rows, without, source)];
  }
  return notApplying(config, applies, rows, without, source);
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
