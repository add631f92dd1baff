import { Rng } from "../rng.ts";
import { EXPRESSIONS } from "./testing-expressions.ts";
import { NUMBERS } from "./testing-numbers.ts";
import type { Form, Maker } from "./testing-forms.ts";
import { STRUCTURES } from "./testing-structures.ts";
import { WORDED } from "./testing-worded.ts";

const WRAPPED_MATH: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `$${text}$`,
  (text) => `\\(${text}\\)`,
  (text) => `\\boxed{${text}}`,
  (text) => `So we get $$\\boxed{${text}}$$`,
  (text) => `Hence the answer is $${text}$.`,
  (text) => `**Final Answer**\n\\[ \\boxed{${text}} \\]`,
  (text) => `答えは$${text}$です。`,
  (text) => `所以答案是 $${text}$。`,
  (text) => `<think>\nperhaps $17x$, or \\boxed{-987}\n</think>\n\n\\boxed{${text}}`,
  (text) => `First \\boxed{-987}? No. In the end it is \\boxed{\\displaystyle ${text}}.`,
];

const WRAPPED_PLAIN: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `\\boxed{${text}}`,
  (text) => `**${text}**`,
  (text) => `The answer is ${text}`,
  (text) => `Final Answer: ${text}`,
  (text) => `<think>maybe -987</think>\n<answer>${text}</answer>`,
  (text) => `reasoning, then\n#### ${text}`,
];

/** Texts in which an answer stands, but does not answer. */
const TRAPS: readonly ((right: string, wrong: string) => string)[] = [
  (right, wrong) => `<think>\n\\boxed{${right}}\n</think>\n\\boxed{${wrong}}`,
  (right, wrong) => `\\boxed{${right}}. Wait, no: \\boxed{${wrong}}`,
  (right) => `<think>\nThe answer is \\boxed{${right}}`,
  (right) => `First \\boxed{${right}}, then \\boxed{-987 + ${right}`,
  (right) => `<think>\n\\boxed{${right}}\n</think>\n`,
];

export interface Pair {
  readonly kind: string;
  readonly gold: string;
  readonly prediction: string;
  readonly equal: boolean;
}

const MAKERS: Readonly<Record<string, Maker>> = { ...NUMBERS, ...STRUCTURES, ...WORDED, ...EXPRESSIONS };
export const KINDS: readonly string[] = Object.keys(MAKERS);

function wrapped(rng: Rng, { text, as }: Form): string {
  return rng.pick(as === "math" ? WRAPPED_MATH : WRAPPED_PLAIN)(text);
}

/** One pair of answers, equal or different by construction. */
export function makePair(seed: number, index: number): Pair {
  const rng = new Rng(seed, index);
  const kind = KINDS[index % KINDS.length] ?? "";
  const { equal, different } = MAKERS[kind]?.(rng) ?? { equal: [], different: [] };
  const [first] = equal;
  if (!first) throw new RangeError(`${kind} made nothing`);
  const gold = rng.chance(0.7) ? first.text : first.as === "math" ? `$${first.text}$` : first.text;
  const wrong = rng.pick(different);
  if (rng.chance(0.5)) return { kind, gold, prediction: wrapped(rng, rng.pick(equal)), equal: true };
  const isTrap = first.as === "math" && wrong.as === "math" && rng.chance(0.15);
  const prediction = isTrap ? rng.pick(TRAPS)(first.text, wrong.text) : wrapped(rng, wrong);
  return { kind, gold, prediction, equal: false };
}
