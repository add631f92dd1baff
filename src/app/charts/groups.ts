import type { CompletionRecord, TrainStepEvent } from "../../engine/protocol.ts";
import { splitThought, taggedAnswer } from "../../text/split.ts";
import { THINK_START } from "../../text/tags.ts";

/** A prompt's completions in a step, which are compared with each other. */
export interface Group {
  /** As the completions name it. */
  readonly group: number;
  readonly prompt: string;
  readonly completions: readonly CompletionRecord[];
  /** Of the rewards, those that apply; NaN where none does. */
  readonly mean: number;
  /** With one degree of freedom less, as TRL's; 0 for fewer than two rewards. */
  readonly std: number;
}

/** The groups of a step, in the order in which it has them. */
export function groupsOf(event: TrainStepEvent | undefined): readonly Group[] {
  const groups = new Map<number, CompletionRecord[]>();
  for (const completion of event?.completions ?? []) {
    const found = groups.get(completion.group);
    if (found) found.push(completion);
    else groups.set(completion.group, [completion]);
  }
  return [...groups].map(([group, completions]) => {
    const rewards = completions.flatMap(({ reward }) => reward ?? []);
    const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
    const squares = rewards.reduce((sum, reward) => sum + (reward - mean) ** 2, 0);
    const std = rewards.length < 2 ? 0 : Math.sqrt(squares / (rewards.length - 1));
    return { group, prompt: completions[0]?.prompt ?? "", completions, mean, std };
  });
}

/** Nothing is learned from a group of equal rewards. */
export function isDead({ std }: Group): boolean {
  // Equal sums of weighted parts may differ in their last digits.
  return std < 1e-9;
}

/** The group that has most to show: the one whose rewards differ most. */
export function mostTelling(groups: readonly Group[]): Group | undefined {
  return groups.reduce<Group | undefined>((best, group) => (best && best.std >= group.std ? best : group), undefined);
}

export interface CompletionText {
  readonly thought: string;
  /** What the tags hold, or all that follows the thought; empty if it ended before. */
  readonly answer: string;
}

export function textOf({ prompt, completion }: CompletionRecord): CompletionText {
  const startsInThink = prompt.trimEnd().endsWith(THINK_START);
  const { think, answer } = splitThought(completion, { startsInThink });
  return { thought: think.trim(), answer: (taggedAnswer(completion) ?? answer).trim() };
}

/** A completion in a line: its answer, or where it was when it was cut off. */
export function gistOf(completion: CompletionRecord): string {
  const { thought, answer } = textOf(completion);
  return (answer === "" ? `… ${thought.slice(-60)}` : answer).replace(/\s+/g, " ").slice(0, 120);
}
