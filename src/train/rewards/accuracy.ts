import { isCorrect } from "./correctness.ts";
import { perItem } from "./reward.ts";

/** TRL and open-r1 `accuracy_reward`. */
export const accuracy = perItem("accuracy", "1 for the right answer, else 0", (item) => {
  const correct = isCorrect(item);
  return correct === undefined ? null : Number(correct);
});
