import { describe, expect, it } from "vitest";
import { gradeAnswer } from "./grade.ts";
import { DIFFERENT_PAIRS } from "./testing-different-pairs.ts";
import { EQUAL_PAIRS } from "./testing-equal-pairs.ts";
import { MORE_EQUAL_PAIRS } from "./testing-more-equal-pairs.ts";

// One test for each kind: the pairs that are wrong are what a failure shows.
describe("gradeAnswer, by kind", () => {
  it.each([...Object.entries(EQUAL_PAIRS), ...Object.entries(MORE_EQUAL_PAIRS)])(
    "finds equal, among %s",
    (_, pairs) => {
      expect(pairs.filter(([gold, prediction]) => gradeAnswer(gold, prediction) !== true)).toEqual([]);
    },
  );

  it.each(Object.entries(DIFFERENT_PAIRS))("tells apart, among %s", (_, pairs) => {
    expect(pairs.filter(([gold, prediction]) => gradeAnswer(gold, prediction) !== false)).toEqual([]);
  });

  it.each(["<think>\nit is \\boxed{5}", "\\boxed{5} and \\boxed{", "<think>5</think>"])(
    "reads no gold answer in %j",
    (gold) => {
      expect(gradeAnswer(gold, "5")).toBeUndefined();
    },
  );
});
