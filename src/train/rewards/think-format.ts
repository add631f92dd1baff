import { perItem } from "./reward.ts";

/** TRL `think_format_reward`'s expression; Python's `$` also stands before a last line break, which `.*` takes here. */
export const THINK = /^<think>(?!.*<think>)(.*?)<\/think>.*$/s;

/** TRL `think_format_reward`. */
export const thinkFormat = perItem(
  "think_format",
  "1 for one <think>…</think> at the start, else 0",
  ({ completion }) => Number(THINK.test(completion)),
);
