import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DATA, hasData } from "../../testing-data.ts";
import { gradeAnswer } from "./grade.ts";

const PAIRS = "reports/grader.json";

interface Pair {
  readonly gold: string;
  readonly pred: string;
  readonly equal: boolean;
  readonly kind: string;
}

describe.skipIf(!hasData(PAIRS))(`answers of public bug reports (skipped without ${PAIRS})`, () => {
  it("are all graded rightly", () => {
    const { cases } = JSON.parse(readFileSync(join(DATA, PAIRS), "utf8")) as { cases: Pair[] };
    expect(cases.length).toBe(104);
    expect(cases.filter(({ gold, pred, equal }) => (gradeAnswer(gold, pred) === true) !== equal)).toEqual([]);
  });
});
