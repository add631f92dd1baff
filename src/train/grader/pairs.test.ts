import { describe, expect, it } from "vitest";
import { gradeAnswer } from "./grade.ts";
import { DIFFERENT_PAIRS } from "./testing-different-pairs.ts";
import { EQUAL_PAIRS } from "./testing-equal-pairs.ts";
import { LAST_DIFFERENT_PAIRS, LAST_EQUAL_PAIRS } from "./testing-last-pairs.ts";
import { MORE_EQUAL_PAIRS } from "./testing-more-equal-pairs.ts";
import { SIBLING_DIFFERENT_PAIRS } from "./testing-sibling-different-pairs.ts";
import { SIBLING_EQUAL_PAIRS } from "./testing-sibling-pairs.ts";
import { STATEMENT_DIFFERENT_PAIRS } from "./testing-statement-different-pairs.ts";
import { STATEMENT_EQUAL_PAIRS } from "./testing-statement-pairs.ts";

// One test for each kind: the pairs that are wrong are what a failure shows.
describe("gradeAnswer, by kind", () => {
  const equal = { ...EQUAL_PAIRS, ...MORE_EQUAL_PAIRS, "all kinds": LAST_EQUAL_PAIRS };
  it.each(Object.entries({ ...STATEMENT_EQUAL_PAIRS, ...SIBLING_EQUAL_PAIRS }))(
    "finds equal, among statements: %s",
    (_, pairs) => {
      expect(pairs.filter(([gold, prediction]) => gradeAnswer(gold, prediction) !== true)).toEqual([]);
    },
  );

  it.each(Object.entries({ ...STATEMENT_DIFFERENT_PAIRS, ...SIBLING_DIFFERENT_PAIRS }))(
    "tells apart, among statements: %s",
    (_, pairs) => {
      expect(pairs.filter(([gold, prediction]) => gradeAnswer(gold, prediction) !== false)).toEqual([]);
    },
  );

  it.each(Object.entries(equal))("finds equal, among %s", (_, pairs) => {
    expect(pairs.filter(([gold, prediction]) => gradeAnswer(gold, prediction) !== true)).toEqual([]);
  });

  it.each(Object.entries({ ...DIFFERENT_PAIRS, "all kinds": LAST_DIFFERENT_PAIRS }))(
    "tells apart, among %s",
    (_, pairs) => {
      expect(pairs.filter(([gold, prediction]) => gradeAnswer(gold, prediction) !== false)).toEqual([]);
    },
  );

  it.each(["<think>\nit is \\boxed{5}", "\\boxed{5} and \\boxed{", "<think>5</think>"])(
    "reads no gold answer in %j",
    (gold) => {
      expect(gradeAnswer(gold, "5")).toBeUndefined();
    },
  );
});
