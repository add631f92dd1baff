import { describe, expect, it } from "vitest";
import type { ChartSpec } from "./metrics.ts";
import { CHARTS } from "./metrics.ts";
import { chartTable, valueRange } from "./series.ts";
import { makeRun } from "./testing.ts";

const REWARD: ChartSpec = CHARTS.reward;

describe("chartTable", () => {
  const run = makeRun([
    { reward: 0.5, "rewards/accuracy/mean": 0.4, "rewards/accuracy/std": 9, "rewards/format/mean": 1 },
    { reward: 0.7, "rewards/accuracy/mean": 0.6 },
    { reward: NaN, "rewards/accuracy/mean": 0.8 },
  ]);

  it("has a line for the reward and for each reward function, with gaps where a step has none", () => {
    const { steps, lines } = chartTable(REWARD, [run], "run", 0);
    expect(steps).toEqual([1, 2, 3]);
    expect(lines.map(({ metric, part, raw }) => [metric, part, raw])).toEqual([
      ["reward", undefined, [0.5, 0.7, null]],
      ["rewards/accuracy/mean", "accuracy", [0.4, 0.6, 0.8]],
      ["rewards/format/mean", "format", [1, null, null]],
    ]);
    expect(lines[0]?.last).toEqual({ step: 2, value: 0.7 });
  });

  it("smooths beside the raw values", () => {
    const [line] = chartTable(REWARD, [run], "run", 0.5).lines;
    expect(line?.raw).toEqual([0.5, 0.7, null]);
    expect(line?.smooth[1]).toBeCloseTo((0.25 + 0.7) / 1.5, 12);
  });

  it("compares several runs by their main lines, over the steps of all", () => {
    const other = makeRun([{ reward: 1 }], { id: "other" });
    const late = { ...other, steps: other.steps.map((event) => ({ ...event, step: 9 })) };
    const { steps, lines } = chartTable(REWARD, [run, late], "run", 0);
    expect(steps).toEqual([1, 2, 9]);
    expect(lines.map(({ run: { id }, runIndex, raw }) => [id, runIndex, raw])).toEqual([
      ["run", 0, [0.5, 0.7, null]],
      ["other", 1, [null, null, 1]],
    ]);
  });

  it("leaves out a part that repeats the main line", () => {
    const evaluations = [
      { type: "eval", step: 0, metrics: { eval_accuracy: 0.1, eval_pass_at_k: 0.1, eval_cons_at_k: 0.2 } },
    ] as const;
    const { lines } = chartTable(CHARTS.accuracy, [makeRun([], { evaluations })], "run", 0.9);
    expect(lines.map(({ metric }) => metric)).toEqual(["eval_accuracy", "eval_cons_at_k"]);
  });

  it("shades the range of the run in focus", () => {
    const span = (low: number): Record<string, number> => ({
      "completions/mean_length": 5,
      "completions/min_length": low,
      "completions/max_length": 9,
    });
    const runs = [makeRun([span(1)]), makeRun([span(2)], { id: "b" })];
    expect(chartTable(CHARTS.length, runs, "b", 0).band).toEqual([[2], [9]]);
  });

  it("is empty before the first step", () => {
    expect(chartTable(REWARD, [makeRun([])], "run", 0.6)).toEqual({ steps: [], lines: [], band: undefined });
  });
});

describe("valueRange", () => {
  const table = chartTable(REWARD, [makeRun([{ reward: 0.5 }, { reward: -3 }, { reward: 8 }])], "run", 0);

  it("spans what is shown, and ends at what it has to include", () => {
    expect(valueRange(table, [1, 1], [0, 1])).toEqual([0, 1]);
    const [low, high] = valueRange(table, [1, 2], [0, 1]);
    expect(low).toBeCloseTo(-3.16, 9);
    expect(high).toBe(1);
  });

  it("is not empty for one value, or for none", () => {
    expect(valueRange(table, [1, 1], [])).toEqual([0.25, 0.75]);
    expect(valueRange(table, [50, 60], [])).toEqual([0, 1]);
  });
});
