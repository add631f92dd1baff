import { perItem } from "./reward.ts";

/** open-r1 `reasoning_steps_reward`'s expression. `^` is the start of the text alone, as it is there. */
export const STEP = /(Step \d+:|^\d+\.|\n-|\n\*|First,|Second,|Next,|Finally,)/g;
/** Steps that earn the whole reward. */
export const ENOUGH_STEPS = 3;

/** open-r1 `reasoning_steps_reward`. */
export const reasoningSteps = perItem(
  "reasoning_steps",
  "a third for each sign of a step (Step 1:, bullets, First, …), at most 1",
  ({ completion }) => Math.min(1, (completion.match(STEP)?.length ?? 0) / ENOUGH_STEPS),
);
