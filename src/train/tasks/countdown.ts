import type { Rng } from "../rng.ts";
import { answerOf, checkLevel, completionOf, sampleInSplit } from "./task.ts";
import type { Problem, Task } from "./task.ts";

/**
 * Countdown with small numbers: reach the target with each number once, from left to right without precedence. A
 * demonstration tries expressions at random and mostly gives up too early, which reinforcement learning then corrects.
 */

const OPERATORS = ["+", "-", "*"] as const;
type Operator = (typeof OPERATORS)[number];

/** Values that have a token. */
const LARGEST = 99;
const LARGEST_GIVEN = 9;
const SMALLEST_TARGET = 5;

/**
 * How likely giving up is after a failed attempt. Most demonstrations are impatient, so that about a quarter is right
 * (three numbers); the patient ones show what a long thought looks like and how it ends, without which one that grows falls apart.
 */
export const TEMPERS = [
  { share: 0.75, giveUp: 0.6 },
  { share: 0.25, giveUp: 0.03 },
] as const;

/** Attempts are fewer where they are longer, so that every trace fits. */
const LEVELS = [
  { name: "easy", description: "two numbers", size: 2, attempts: 10 },
  { name: "three", description: "three numbers", size: 3, attempts: 10 },
  { name: "four", description: "four numbers", size: 4, attempts: 8 },
] as const;

const TASK = {
  name: "countdown",
  description: "Reach the target with + - *, each number once, from left to right.",
  levels: LEVELS,
  defaultLevel: 1,
  maxCompletionLength: 160,
};

/** An expression read from left to right, and all that it amounts to. */
export interface Attempt {
  /** ` 9 * 3 - 4` */
  readonly expression: string;
  /** ` 9 * 3 = 27 - 4 = 23 ;` */
  readonly worked: string;
  readonly value: number;
}

const known = new Map<string, readonly Attempt[]>();
/** Lists of three numbers from 1 to 9 there are 729; longer ones are too many to keep. */
const MAX_KNOWN = 1024;

/** All expressions of the numbers, each once, whose values stay from 0 to 99. */
export function attemptsOf(numbers: readonly number[]): readonly Attempt[] {
  const key = numbers.join(" ");
  let attempts = known.get(key);
  if (!attempts) {
    attempts = enumerate(numbers);
    // A run draws the same numbers over and over.
    if (known.size < MAX_KNOWN) known.set(key, attempts);
  }
  return attempts;
}

function enumerate(numbers: readonly number[]): readonly Attempt[] {
  const found = new Map<string, Attempt>();
  const extend = (attempt: Attempt | undefined, rest: readonly number[]): void => {
    if (attempt && rest.length === 0) found.set(attempt.expression, { ...attempt, worked: `${attempt.worked} ;` });
    for (const [i, number] of rest.entries()) {
      const others = rest.toSpliced(i, 1);
      if (!attempt) extend({ expression: ` ${number}`, worked: ` ${number}`, value: number }, others);
      else for (const next of continuations(attempt, number)) extend(next, others);
    }
  };
  extend(undefined, numbers);
  return [...found.values()];
}

function continuations({ expression, worked, value }: Attempt, number: number): Attempt[] {
  return OPERATORS.flatMap((operator) => {
    const result = apply(value, operator, number);
    if (result < 0 || result > LARGEST) return [];
    const step = ` ${operator} ${number}`;
    return [{ expression: expression + step, worked: `${worked}${step} = ${result}`, value: result }];
  });
}

function apply(left: number, operator: Operator, right: number): number {
  switch (operator) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
  }
}

function draw(rng: Rng, size: number): Problem {
  for (;;) {
    const numbers = Array.from({ length: size }, () => 1 + rng.int(LARGEST_GIVEN));
    // The value of a random attempt, not a random value: targets that many expressions reach come up more often.
    const reachable = attemptsOf(numbers).filter(({ value }) => value >= SMALLEST_TARGET);
    if (reachable.length > 0) return problemOf(numbers, rng.pick(reachable).value);
  }
}

function problemOf(numbers: readonly number[], target: number): Problem {
  return {
    key: `countdown ${numbers.toSorted((a, b) => a - b).join(" ")} ${target}`,
    // A word first: the tokenizer's numbers need a space before them.
    prompt: `make ${target} from ${numbers.join(" ")}`,
    columns: { numbers, target },
  };
}

interface Columns {
  readonly numbers: readonly number[];
  readonly target: number;
}

/** @returns undefined for columns of another task */
function readColumns({ numbers, target }: Problem["columns"]): Columns | undefined {
  if (!Array.isArray(numbers) || !numbers.every((number) => typeof number === "number")) return undefined;
  return typeof target === "number" ? { numbers, target } : undefined;
}

/** Longer text is no answer, and not worth reading. */
export const MAX_ANSWER_CHARS = 64;
export const EXPRESSION = /^\s*\d{1,3}(?:\s*[+*-]\s*\d{1,3})*\s*$/;

function check(columns: Problem["columns"], completion: string): boolean {
  const given = readColumns(columns);
  const answer = answerOf(completion);
  if (!given || answer === undefined || answer.length > MAX_ANSWER_CHARS || !EXPRESSION.test(answer)) return false;
  const used = (answer.match(/\d+/g) ?? []).map(Number);
  const operators = answer.match(/[+*-]/g) ?? [];
  const sorted = (numbers: readonly number[]): string => numbers.toSorted((a, b) => a - b).join(" ");
  if (sorted(used) !== sorted(given.numbers)) return false;
  const value = used.reduce((left, right, i) => {
    const operator = OPERATORS.find((one) => one === operators[i - 1]);
    return operator ? apply(left, operator, right) : left;
  });
  return value === given.target;
}

function trace(rng: Rng, { columns }: Problem): string {
  const { numbers = [], target } = readColumns(columns) ?? {};
  const most = LEVELS.find(({ size }) => size === numbers.length)?.attempts ?? 0;
  const { giveUp } = rng.weighted(
    TEMPERS,
    TEMPERS.map(({ share }) => share),
  );
  let thought = "";
  let answer = "";
  for (const attempt of rng.shuffle(attemptsOf(numbers)).slice(0, most)) {
    thought += attempt.worked;
    answer = attempt.expression;
    if (attempt.value === target) return completionOf(`${thought} ok`, answer);
    if (rng.chance(giveUp)) break;
  }
  return completionOf(thought, answer);
}

/**
 * Chains such as ` 9 * 3 = 27 - 4 = 23 ;`, most of them from a small number as in the task, so that the facts that it needs
 * come up often, and some from any value, so that every fact in range appears. A target comes first, and `ok` where a chain
 * has reached it: comparing a result with a number further back is what a model finds hardest, and it learns it soonest
 * where each text has one target, in one place, and says `ok` often.
 */
function pretrain(rng: Rng): string {
  const hit = chain(rng);
  const misses = Array.from({ length: rng.int(MAX_MISSES + 1) }, () => chain(rng));
  const tried = [...misses.filter(({ value }) => value !== hit.value), hit];
  return `make ${hit.value} ;${tried.map(({ worked }) => worked).join("")} ok`;
}

const MAX_MISSES = 3;
/** Share of the chains that begin with any value that has a token. */
const ANY_START = 0.15;

function chain(rng: Rng): Attempt {
  const start = rng.chance(ANY_START) ? rng.int(LARGEST + 1) : 1 + rng.int(LARGEST_GIVEN);
  const steps = rng.weighted([1, 2, 3], [2, 5, 1]);
  let attempt: Attempt = { expression: ` ${start}`, worked: ` ${start}`, value: start };
  for (let step = 0; step < steps; step++) {
    const digits = Array.from({ length: LARGEST_GIVEN }, (_, i) => i + 1);
    const current = attempt;
    attempt = rng.pick(digits.flatMap((digit) => continuations(current, digit)));
  }
  return { ...attempt, worked: `${attempt.worked} ;` };
}

export const countdown: Task = {
  ...TASK,
  sample: (rng, split, level = TASK.defaultLevel) => {
    checkLevel(TASK, level);
    const size = LEVELS[level]?.size ?? 0;
    return sampleInSplit(split, () => draw(rng, size));
  },
  instruction: () =>
    "Make the target from the numbers with +, - and *, each number exactly once, calculating from left to right. Write only the expression, without its result, between <answer> and </answer>.",
  check,
  trace,
  pretrain,
};
