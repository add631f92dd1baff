import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRunRecord } from "../../train/record/read.ts";
import { metricsCsv, recordFiles, safeFileName } from "./export.ts";
import { makeCompletion, makeRun } from "./testing.ts";

describe("metricsCsv", () => {
  it("has a row for each step, an evaluation's values in the row of its step", async () => {
    const run = makeRun(
      [
        { reward: 0.1, kl: -0 },
        { reward: NaN, kl: 1e-7 },
      ],
      {
        evaluations: [
          { type: "eval", step: 0, metrics: { eval_accuracy: 0.5 } },
          { type: "eval", step: 2, metrics: { eval_accuracy: 0.75 } },
        ],
      },
    );
    expect(await metricsCsv(run)).toBe("step,reward,kl,eval_accuracy\r\n0,,,0.5\r\n1,0.1,-0,\r\n2,,1e-7,0.75\r\n");
  });

  it("writes numbers that read back as the same", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ noNaN: true, noDefaultInfinity: true }), async (value) => {
        const [, row = ""] = (await metricsCsv(makeRun([{ m: value }]))).split("\r\n");
        expect(Number(row.split(",")[1])).toBe(value);
      }),
    );
  });

  it.each([
    ['a,"b"', '"a,""b"""'],
    ["line\nbreak", '"line\nbreak"'],
    ["=HYPERLINK(1)", "'=HYPERLINK(1)"],
    ["@x", "'@x"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ['=a,"b"', `"'=a,""b"""`],
  ])("makes the name %j harmless", async (name, cell) => {
    expect(await metricsCsv(makeRun([{ [name]: 1 }]))).toBe(`step,${cell}\r\n1,1\r\n`);
  });
});

describe("recordFiles", () => {
  it("are a record that reads back as the run", async () => {
    const completions = [
      makeCompletion(),
      makeCompletion({ advantage: -0.5, reward: null, rewards: { accuracy: null } }),
    ];
    const run = makeRun([], {
      steps: [
        { type: "step", step: 1, metrics: { reward: 0.5 }, completions },
        { type: "step", step: 2, metrics: { reward: 0.25 }, completions: [] },
      ],
      evaluations: [
        { type: "eval", step: 0, metrics: { eval_accuracy: 0.5 } },
        { type: "eval", step: 1, metrics: { eval_accuracy: 0.75 } },
      ],
      warnings: [{ type: "warning", step: 2, code: "DEAD_GROUPS", message: "all groups are dead" }],
    });
    const record = parseRunRecord(await recordFiles(run));
    expect(record.run).toEqual(run.header);
    expect(record.metrics.map(({ step, metrics }) => [step, metrics])).toEqual([
      [0, { eval_accuracy: 0.5 }],
      [1, { reward: 0.5 }],
      [1, { eval_accuracy: 0.75 }],
      [2, { reward: 0.25 }],
    ]);
    expect(record.completions).toEqual(completions);
    expect(record.warnings).toEqual([{ step: 2, code: "DEAD_GROUPS", message: "all groups are dead" }]);
  });
});

describe("safeFileName", () => {
  it.each([
    ["R1-Zero 8 × 12", "R1-Zero-8-12"],
    ["../../etc/passwd", "etc-passwd"],
    ["実行 その1", "実行-その1"],
    ["???", "run"],
    ["", "run"],
  ])("of %j is %s", (name, expected) => {
    expect(safeFileName(name)).toBe(expected);
  });

  it("is short enough for any file system, without half a character", () => {
    const short = safeFileName("長".repeat(500));
    expect(new TextEncoder().encode(short).length).toBeLessThanOrEqual(120);
    expect(short).toMatch(/^長+$/);
  });
});
