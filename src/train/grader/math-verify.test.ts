import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { DATA, hasData } from "../../testing-data.ts";
import { gradeAnswer, mathEqual } from "./grade.ts";

const PAIRS = "math-equivalence/math-verify.json";

interface Pair {
  readonly suite: string;
  readonly gold: string;
  readonly pred: string;
  readonly equal: boolean;
  readonly options?: { readonly precision?: number } | null;
}

describe.skipIf(!hasData(PAIRS))(`the pairs of Math-Verify's own tests (skipped without ${PAIRS})`, () => {
  it("are graded as Math-Verify grades them, nine in ten or more", () => {
    const { cases } = JSON.parse(readFileSync(join(DATA, PAIRS), "utf8")) as { cases: Pair[] };
    const wrong = cases
      .map((pair, index) => ({ ...pair, index }))
      .filter(({ gold, pred, equal, options }) => {
        const precision = options?.precision;
        return mathEqual(gold, pred, precision === undefined ? {} : { precision }) !== equal;
      })
      .map(({ index, suite, gold, pred, equal }) => {
        return `#${index} ${suite.split("::")[1]}: expected ${equal}: ${gold.slice(-120)} | ${pred.slice(-120)}`;
      });
    const right = cases.length - wrong.length;
    process.stdout.write(`Math-Verify pairs: ${right}/${cases.length} right; wrong:\n${wrong.join("\n")}\n`);
    expect(right / cases.length, wrong.join("\n")).toBeGreaterThanOrEqual(0.9);
  });
});

function rows(file: string): Record<string, unknown>[] {
  const lines = readFileSync(join(DATA, file), "utf8").trim().split("\n");
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** The content of the last `\boxed{}`, found independently of the grader. */
function boxedIn(solution: string): string {
  const start = solution.lastIndexOf("\\boxed");
  let [depth, content] = [0, ""];
  for (const sign of solution.slice(start + "\\boxed".length)) {
    if (sign === "}") depth--;
    if (depth > 0) content += sign;
    if (sign === "{") depth++;
    if (depth === 0) break;
  }
  return content;
}

const GOLDS: Readonly<Record<string, (row: Record<string, unknown>) => string>> = {
  "math-eval/gsm8k/test.jsonl": ({ answer }) => String(answer).split("####")[1]?.trim() ?? "",
  "math-eval/math500/test.jsonl": ({ answer }) => boxedIn(String(answer)),
  "math-eval/aime24/aime24.jsonl": ({ answer }) => String(answer),
};

describe.each(Object.entries(GOLDS))("the gold answers of %s", (file, goldOf) => {
  it.skipIf(!hasData(file))("equal themselves, in and out of a box, and differ from another number", () => {
    const golds = rows(file).map(goldOf);
    const same = (gold: string): boolean => mathEqual(gold, gold) && mathEqual(gold, `so we get $\\boxed{${gold}}$.`);
    expect(golds.filter((gold) => !same(gold))).toEqual([]);
    expect(golds.filter((gold) => gradeAnswer(gold, "\\boxed{-987654321}") !== false)).toEqual([]);
  });

  it.skipIf(!hasData(file))("are found in the data set's own solutions", () => {
    const pairs = rows(file).map((row) => [goldOf(row), String(row["answer"])] as const);
    expect(pairs.filter(([gold, solution]) => !mathEqual(gold, solution))).toEqual([]);
  });
});
