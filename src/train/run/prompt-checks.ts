import { R1Error } from "../../errors.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import { mostTokens, namedLines } from "./data-warnings.ts";
import type { DataWarning } from "./data-warnings.ts";
import type { ProblemSource, RunProblem } from "./problems.ts";
import type { PromptWriter } from "./prompts.ts";

/** How long a prompt may be, and what says so. */
export interface PromptLimit {
  readonly tokens: number;
  /** `max_prompt_length 64`, for a complaint. */
  readonly says: string;
  /** The configuration's field that would have to change. */
  readonly field: string;
}

/**
 * A prompt has the room that `max_prompt_length` gives it, and that a completion leaves it in the model's positions and in
 * a pack.
 */
export function promptLimit(
  { max_prompt_length: most, max_completion_length: completion }: GrpoConfig,
  positions: number,
  packTokens: number,
): PromptLimit {
  const less = `less max_completion_length ${completion}`;
  const limits: readonly PromptLimit[] = [
    { tokens: most, says: `max_prompt_length ${most}`, field: "max_prompt_length" },
    {
      tokens: positions - completion,
      says: `the model's ${positions} positions ${less}`,
      field: "max_completion_length",
    },
    {
      tokens: packTokens - completion,
      says: `max_tokens_per_pack ${packTokens} ${less}`,
      field: "max_tokens_per_pack",
    },
  ];
  return limits.reduce((least, one) => (one.tokens < least.tokens ? one : least));
}

/** Tokens of a prompt; undefined where it cannot have more than `most`. */
async function tokensOver(problem: RunProblem, writer: PromptWriter, most: number): Promise<number | undefined> {
  const { input } = problem;
  if (typeof input === "string" && mostTokens(input) + writer.around <= most) return undefined;
  const { ids } = await writer.write(input);
  return ids.length > most ? ids.length : undefined;
}

/**
 * Looks at every prompt of a dataset before the first step.
 * @returns the source without rows whose prompt is too long, and what to say of them
 * @throws R1Error E_DATASET naming the rows, where `overlong_prompts` is "refuse" or no row to train on is left
 */
export async function checkPrompts(
  problems: ProblemSource,
  writer: PromptWriter,
  limit: PromptLimit,
  { dataset, overlong_prompts }: Pick<GrpoConfig, "dataset" | "overlong_prompts">,
): Promise<{ readonly problems: ProblemSource; readonly warnings: readonly DataWarning[] }> {
  const { rows } = problems;
  if (!rows) return { problems, warnings: [] };
  const tooLong = new Set<RunProblem>();
  let longest = { tokens: 0, line: 0 };
  const all = [...rows.training, ...rows.heldout];
  for (const problem of all) {
    const tokens = await tokensOver(problem, writer, limit.tokens);
    if (tokens === undefined) continue;
    tooLong.add(problem);
    if (tokens > longest.tokens) longest = { tokens, line: problem.line ?? 0 };
  }
  if (tooLong.size === 0) return { problems, warnings: [] };
  const lines = Array.from(tooLong, ({ line = 0 }) => line);
  const what = `the prompts of ${tooLong.size} of ${all.length} rows have more than ${limit.tokens} tokens (${limit.says}): ${namedLines(lines)}; the longest has ${longest.tokens}, line ${longest.line}`;
  const details = { file: dataset ?? "", rows: tooLong.size, field: limit.field };
  if (overlong_prompts === "refuse") throw new R1Error("E_DATASET", `${dataset}: ${what}`, details);
  if (rows.training.every((problem) => tooLong.has(problem))) {
    throw new R1Error("E_DATASET", `${dataset}: no row to train on is left; ${what}`, details);
  }
  return {
    problems: rows.filter((problem) => !tooLong.has(problem)),
    warnings: [{ code: "ROWS_DROPPED", message: `${dataset}: ${what}; they are left out` }],
  };
}

/** Of a task as many prompts are looked at as tell how long they are: it has no end. */
const LOOKED_AT = 256;

/**
 * Looks at the first prompts of a task, which are about as long as all others.
 * @throws R1Error E_OPTION where one is too long
 */
export function checkTaskPrompts(
  task: string,
  prompts: Iterable<RunProblem | undefined>,
  writer: PromptWriter,
  limit: PromptLimit,
): void {
  let seen = 0;
  for (const problem of prompts) {
    if (!problem || seen++ >= LOOKED_AT) return;
    if (mostTokens(problem.prompt) + writer.around <= limit.tokens) continue;
    const { length } = writer.ids(problem.prompt);
    if (length <= limit.tokens) continue;
    throw new R1Error(
      "E_OPTION",
      `${limit.field}: a prompt of task ${task} has ${length} tokens; ${limit.says} leaves room for ${limit.tokens}`,
      { field: limit.field },
    );
  }
}
