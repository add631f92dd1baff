import { isCorrect } from "./correctness.ts";
import { perItem } from "./reward.ts";

const END = "</think>";

/** TRL `reasoning_accuracy_reward`: an answer in the thought does not count, and without an end there is none. */
export const reasoningAccuracy = perItem(
  "reasoning_accuracy",
  "1 for the right answer after the last </think>, else 0",
  (item) => {
    const end = item.completion.lastIndexOf(END);
    // Reasoning without an end earns nothing, whether the gold answer can be read or not.
    if (end < 0) return 0;
    const correct = isCorrect(item, item.completion.slice(end + END.length));
    return correct === undefined ? null : Number(correct);
  },
);
