import { gradeAnswer } from "../grader/grade.ts";
import type { RewardItem } from "./reward.ts";

/** The gold answer as text; columns may hold numbers. */
function solutionOf(item: RewardItem): string | undefined {
  const solution = item.columns["solution"];
  if (typeof solution === "string") return solution;
  return typeof solution === "number" || typeof solution === "bigint" ? String(solution) : undefined;
}

/**
 * Is the answer in `text` right? The row's own checker decides where there is one, else the grader against
 * `columns.solution`.
 * @returns undefined where the row has no gold answer that can be read
 */
export function isCorrect(item: RewardItem, text: string = item.completion): boolean | undefined {
  // A task's checker finds the end of the thought itself.
  if (item.verify) return item.verify(item.completion);
  const solution = solutionOf(item);
  return solution === undefined ? undefined : gradeAnswer(solution, text);
}
