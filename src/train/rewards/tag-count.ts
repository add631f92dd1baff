import { perItem } from "./reward.ts";

export const TAGS = ["<think>\n", "\n</think>\n", "\n<answer>\n", "\n</answer>"];

/** open-r1 `tag_count_reward`: partial credit on the way to the format. */
export const tagCount = perItem(
  "tag_count",
  "a quarter for each of the four tags that stands there exactly once, with its line breaks",
  ({ completion }) => TAGS.filter((tag) => completion.split(tag).length === 2).length / TAGS.length,
);
