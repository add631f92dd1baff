import { R1Error } from "../../errors.ts";
import { taggedAnswer } from "../../text/split.ts";
import { THINK_END, THINK_START } from "../../text/tags.ts";
import type { Rng } from "../rng.ts";

export type Split = "train" | "heldout";

export interface Problem {
  /** Equal for two renderings of the same problem: the split follows from it, so train and held-out never overlap. */
  readonly key: string;
  /** The user's message. */
  readonly prompt: string;
  /** Dataset columns for rewards (TRL), such as numbers, target, language. JSON-serialisable. */
  readonly columns: Readonly<Record<string, unknown>>;
}

export interface Task {
  readonly name: string;
  readonly description: string;
  /** Difficulty, easiest first. */
  readonly levels: readonly { readonly name: string; readonly description: string }[];
  readonly defaultLevel: number;
  /** Completion tokens that are enough for nearly every trace, EOS included. */
  readonly maxCompletionLength: number;
  /**
   * @param level index into `levels`
   * @throws R1Error E_OPTION for a level that the task does not have
   */
  readonly sample: (rng: Rng, split: Split, level?: number) => Problem;
  /** What a model that was not made for the task has to be told: what its short prompts ask for, and how it is to answer. */
  readonly instruction: (columns: Problem["columns"]) => string;
  /** Whether the completion's `<answer>…</answer>` solves the problem. Needs the columns alone, so it can be replayed. */
  readonly check: (columns: Problem["columns"], completion: string) => boolean;
  /** A cold-start demonstration: everything after the generation prompt `<think>\n`, up to but without EOS. */
  readonly trace: (rng: Rng, problem: Problem) => string;
  /** A line of pretraining text: teaches the arithmetic (or the words), not the format. */
  readonly pretrain: (rng: Rng) => string;
}

/** The user's message for a problem. */
export function promptOf(task: Pick<Task, "instruction">, problem: Problem, isInstructed: boolean): string {
  return isInstructed ? `${task.instruction(problem.columns)}\n${problem.prompt}` : problem.prompt;
}

const HELDOUT_ONE_IN = 8;

/** The split that a problem belongs to, for good: one key in eight is held out. */
export function splitOf(key: string): Split {
  return hash(key) % HELDOUT_ONE_IN === 0 ? "heldout" : "train";
}

/** Draws problems until one is in the split. */
export function sampleInSplit(split: Split, draw: () => Problem): Problem {
  for (;;) {
    const problem = draw();
    if (splitOf(problem.key) === split) return problem;
  }
}

/** @throws R1Error E_OPTION for a level that the task does not have */
export function checkLevel({ name, levels }: Pick<Task, "name" | "levels">, level: number): void {
  if (Number.isInteger(level) && level >= 0 && level < levels.length) return;
  const known = levels.map((one, i) => `${i} (${one.name})`).join(", ");
  throw new R1Error("E_OPTION", `task ${name} has no level ${level}; its levels are ${known}`, { task: name, level });
}

/** What a model writes after the generation prompt, which has opened the thought. */
export function completionOf(thought: string, answer: string): string {
  return `${thought}</think><answer>${answer}</answer>`;
}

/**
 * The answer of a completion whose thought the prompt has opened; a thought that never ends has none.
 * @returns undefined when there is no complete pair of tags after the thought
 */
export function answerOf(completion: string): string | undefined {
  if (!completion.includes(THINK_END)) return undefined;
  return taggedAnswer(completion.startsWith(THINK_START) ? completion : THINK_START + completion);
}

/** FNV-1a with MurmurHash3's finaliser, without which the low bits of short keys are uneven. u32. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) h = Math.imul(h ^ byte, 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
