import { describe, expect, it } from "vitest";
import { fuzzRuns, fuzzTimeout } from "../../checkpoint/node/fuzz-runs.ts";
import { gradeAnswer } from "./grade.ts";
import { KINDS, makePair } from "./testing-pairs.ts";
import type { Pair } from "./testing-pairs.ts";

const RUNS = fuzzRuns(KINDS.length * 20);
const SEED = 2026;

describe(`${RUNS} generated pairs of ${KINDS.length} kinds`, () => {
  it(
    "have no false positive and fewer than 2 % false negatives",
    () => {
      const pairs = Array.from({ length: RUNS }, (_, index) => makePair(SEED, index));
      const isGraded = ({ gold, prediction }: Pair): boolean => gradeAnswer(gold, prediction) === true;
      expect(pairs.filter((pair) => !pair.equal && isGraded(pair))).toEqual([]);
      const equal = pairs.filter((pair) => pair.equal);
      const missed = equal.filter((pair) => !isGraded(pair));
      process.stdout.write(`${RUNS} pairs: no false positive, ${missed.length} of ${equal.length} equal ones missed\n`);
      expect(missed.length / equal.length, JSON.stringify(missed.slice(0, 20), null, 1)).toBeLessThan(0.02);
    },
    fuzzTimeout(RUNS),
  );
});
