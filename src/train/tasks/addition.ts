import type { Rng } from "../rng.ts";
import { answerOf, checkLevel, completionOf, sampleInSplit } from "./task.ts";
import type { Problem, Task } from "./task.ts";

/**
 * Addition with the digits reversed, units first, so that each digit of the sum needs only what was written before it
 * (Lee et al. 2023, arXiv 2307.03381). Meant to be cold-started on k digits and reinforced on k + 1 (Vassoyan et al.
 * 2025, arXiv 2502.06533).
 */

const MOST_DIGITS = 6;

const TASK = {
  name: "addition",
  description: "Add two numbers written with their digits reversed, column by column.",
  levels: Array.from({ length: MOST_DIGITS }, (_, i) => ({
    name: String(i + 1),
    description: i === 0 ? "one digit" : `${i + 1} digits`,
  })),
  defaultLevel: 2,
  maxCompletionLength: 64,
};

/** 123 as [3, 2, 1]. */
function reversedDigits(value: number): number[] {
  return Array.from(String(value), Number).toReversed();
}

function spaced(digits: readonly number[]): string {
  return digits.map((digit) => ` ${digit}`).join("");
}

/** @param digits how many each number has; of the numbers with one digit, 0 is one */
function draw(rng: Rng, digits: number): Problem {
  const least = digits === 1 ? 0 : 10 ** (digits - 1);
  const number = (): number => least + rng.int(10 ** digits - least);
  const [left, right] = [number(), number()];
  return {
    key: `addition ${Math.min(left, right)} ${Math.max(left, right)}`,
    // A word first: the tokenizer's numbers need a space before them.
    prompt: `add${spaced(reversedDigits(left))} +${spaced(reversedDigits(right))}`,
    columns: { left, right, solution: spaced(reversedDigits(left + right)).trim() },
  };
}

/** Longer text is no answer, and not worth reading. */
export const MAX_ANSWER_CHARS = 64;
export const DIGITS = /^\s*\d(?:\s+\d)*\s*$/;

function check({ solution }: Problem["columns"], completion: string): boolean {
  const answer = answerOf(completion);
  if (answer === undefined || answer.length > MAX_ANSWER_CHARS || !DIGITS.test(answer)) return false;
  return answer.trim().split(/\s+/).join(" ") === solution;
}

/** One column: ` 7 + 8 = 15 ;`, with a carry ` 7 + 8 + 1 = 16 ;`. */
function column(left: number, right: number, carry: number): { readonly worked: string; readonly sum: number } {
  const sum = left + right + carry;
  return { worked: ` ${left} + ${right}${carry > 0 ? ` + ${carry}` : ""} = ${sum} ;`, sum };
}

function trace(_: Rng, { columns }: Problem): string {
  const [left, right] = [reversedDigits(Number(columns["left"])), reversedDigits(Number(columns["right"]))];
  let thought = "";
  let carry = 0;
  const answer: number[] = [];
  for (let place = 0; place < Math.max(left.length, right.length); place++) {
    const { worked, sum } = column(left[place] ?? 0, right[place] ?? 0, carry);
    thought += worked;
    carry = sum >= 10 ? 1 : 0;
    answer.push(sum % 10);
  }
  if (carry > 0) answer.push(carry);
  return completionOf(thought, spaced(answer));
}

/** Columns of random digits, half of them with a carry. */
function pretrain(rng: Rng): string {
  return Array.from({ length: 4 + rng.int(3) }, () => column(rng.int(10), rng.int(10), rng.int(2)).worked).join("");
}

export const addition: Task = {
  ...TASK,
  sample: (rng, split, level = TASK.defaultLevel) => {
    checkLevel(TASK, level);
    return sampleInSplit(split, () => draw(rng, level + 1));
  },
  instruction: () =>
    "The numbers are written with their digits reversed, units first. Write the digits of their sum in the same way, separated by spaces, between <answer> and </answer>.",
  check,
  trace,
  pretrain,
};
