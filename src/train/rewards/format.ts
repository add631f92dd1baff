import { perItem } from "./reward.ts";

/** open-r1 `format_reward`'s expression; Python's `re.match` is `^` here, and its `$` an end of line. */
const THINK_ANSWER = /^<think>\n.*?\n<\/think>\n<answer>\n.*?\n<\/answer>(?=\n|(?![\s\S]))/s;
export const TAGS = ["<think>", "</think>", "<answer>", "</answer>"];

/** open-r1 `format_reward`: 1 where the completion begins with a thought and an answer, each on its own lines. */
export function thinkAnswerFormat(completion: string): number {
  return Number(THINK_ANSWER.test(completion));
}

/** True where the text is one thought, space, and one answer: every tag once, in order, and nothing around them. */
export function isThinkAnswer(completion: string): boolean {
  const text = completion.trim();
  const [thinkStart = -1, thinkEnd = -1, answerStart = -1, answerEnd = -1] = TAGS.map((tag) => text.indexOf(tag));
  const once = TAGS.every((tag) => text.indexOf(tag) === text.lastIndexOf(tag));
  if (!once || thinkStart !== 0 || thinkEnd < 0 || answerStart < thinkEnd) return false;
  if (answerEnd < answerStart || answerEnd + "</answer>".length !== text.length) return false;
  return text.slice(thinkEnd + "</think>".length, answerStart).trim() === "";
}

/** The format of DeepSeek-R1-Zero's template, whatever space stands around the tags. */
export const format = perItem("format", "1 for exactly <think>…</think> <answer>…</answer>, else 0", ({ completion }) =>
  Number(isThinkAnswer(completion)),
);
