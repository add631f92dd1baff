import type { GrpoConfig } from "../config/grpo-config.ts";
import type { ProblemSource, RunProblem } from "../run/problems.ts";

/** Rows of the exported datasets; a run of more prompts goes through them again. */
const MOST_ROWS = 20_000;

/** Columns that the rewards and the tasks' checkers read; a task has others to write its demonstrations from. */
const REWARD_COLUMNS = new Set(["solution", "numbers", "target", "language"]);

function row({ prompt, input, columns, verify }: RunProblem, conversational: boolean): string {
  const fields = verify
    ? Object.entries(columns).filter(([name]) => REWARD_COLUMNS.has(name))
    : Object.entries(columns);
  return JSON.stringify({
    // A conversation is one in either form: TRL puts it through the template by itself.
    prompt: typeof input !== "string" ? input : conversational ? [{ role: "user", content: prompt }] : prompt,
    ...Object.fromEntries(fields),
  });
}

/**
 * The run's own prompts, in its order, as TRL reads them.
 * @param conversational as messages, which TRL puts through the model's chat template; else as text
 */
export function datasetFiles(
  config: GrpoConfig,
  problems: ProblemSource,
  conversational: boolean,
): { readonly train: string; readonly heldout: string } {
  const { per_step_prompts: perStep, max_steps: steps, eval_prompts } = config;
  const count = Math.min(problems.size ?? steps * perStep, MOST_ROWS);
  const train = Array.from({ length: count }, (_, i) =>
    problems.training(Math.floor(i / perStep), i % perStep, perStep),
  );
  const heldout = Array.from({ length: eval_prompts }, (_, i) => problems.heldout(i)).filter(
    (problem) => problem !== undefined,
  );
  const lines = (rows: readonly RunProblem[]): string => rows.map((one) => `${row(one, conversational)}\n`).join("");
  return { train: lines(train), heldout: lines(heldout) };
}
