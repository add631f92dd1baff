import { R1Error } from "../errors.ts";
import type { SampleResult } from "../kernels/sample/result.ts";

/**
 * Refuses a row whose logits are NaN or infinite, however many: what would be chosen then is not the model's. What is known
 * is that the numbers are unusable; whether the weights overflow or a driver is at fault is not.
 * @param tokens before the row
 * @throws R1Error E_LOGITS
 */
export function requireLogits(
  { brokenLogits, nothingAllowed }: Pick<SampleResult, "brokenLogits" | "nothingAllowed">,
  tokens: number,
): void {
  if (!brokenLogits && !nothingAllowed) return;
  const what = nothingAllowed ? "no usable number" : "numbers that are NaN or infinite";
  throw new R1Error(
    "E_LOGITS",
    `after ${tokens} tokens the model's logits hold ${what}; the model's numbers overflow, or the device computes wrongly`,
    { tokens },
  );
}
