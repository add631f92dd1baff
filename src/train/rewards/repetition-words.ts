import { repetitionPenalty } from "./repetition.ts";
import { perItem } from "./reward.ts";

/** open-r1: n-grams of lower-case words between spaces. */
export const repetitionWords = perItem(
  "repetition_words",
  "0 down to −1, the share of word 3-grams that repeat others",
  ({ completion }, { repetitionNGrams, repetitionMaxPenalty }) => {
    const words = completion.toLowerCase().split(/\s+/).filter(Boolean);
    return repetitionPenalty(words, repetitionNGrams, repetitionMaxPenalty);
  },
);
