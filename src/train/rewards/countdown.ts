import { evaluateExpression } from "./expression.ts";
import { perItem } from "./reward.ts";

/** For an answer in its tag, whatever it says. */
export const FORMAT_SCORE = 0.1;
export const TOLERANCE = 1e-5;
export const ANSWER = /<answer>((?:(?!<answer>)[\s\S])*?)<\/answer>/g;

function numbersOf(column: unknown): number[] | undefined {
  if (!Array.isArray(column)) return undefined;
  const numbers = column.map(Number);
  return numbers.every(Number.isFinite) ? numbers : undefined;
}

function sameNumbers(used: readonly number[], given: readonly number[]): boolean {
  const [a, b] = [used, given].map((numbers) => numbers.toSorted((x, y) => x - y).join(" "));
  return a === b;
}

/**
 * TinyZero `compute_score` of the countdown task: 0 without an `<answer>`, 0.1 for an expression that is none, uses
 * other numbers than the given ones once each, or misses the target; 1 for the target.
 */
export function countdownScore(completion: string, numbers: readonly number[], target: number): number {
  const answer = [...completion.matchAll(ANSWER)].at(-1)?.[1];
  if (answer === undefined) return 0;
  const result = evaluateExpression(answer, { precedence: "standard" });
  if (!result || !sameNumbers(result.numbers, numbers)) return FORMAT_SCORE;
  return Math.abs(result.value - target) < TOLERANCE ? 1 : FORMAT_SCORE;
}

export const countdown = perItem(
  "countdown",
  "1 for an expression of the numbers that gives the target, 0.1 for another <answer>, 0 without",
  ({ completion, columns }) => {
    const [numbers, target] = [numbersOf(columns["numbers"]), Number(columns["target"] ?? Number.NaN)];
    return numbers && Number.isFinite(target) ? countdownScore(completion, numbers, target) : null;
  },
);
