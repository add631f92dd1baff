import { describe, expect, it } from "vitest";
import { CHARTS } from "./metrics.ts";
import { chartTable } from "./series.ts";
import { thinned } from "./thin.ts";
import { makeRun } from "./testing.ts";

describe("a long run's table", () => {
  const values = Array.from({ length: 20_000 }, (_, i) => Math.sin(i / 300));
  // A single step that stands out must not be lost.
  values[12_345] = 9;
  values[6789] = -9;
  const metrics = values.map((reward) => ({ reward }));
  const run = makeRun(metrics);
  const table = chartTable(CHARTS.reward, [run], "", 0);

  it("is drawn with few rows, its ends and its extremes among them", () => {
    const few = thinned(table, [0, 20_000]);
    expect(few.steps.length).toBeLessThan(4000);
    expect(few.steps.at(0)).toBe(table.steps.at(0));
    expect(few.steps.at(-1)).toBe(table.steps.at(-1));
    expect(few.steps).toEqual(few.steps.toSorted((a, b) => a - b));
    const [line] = few.lines;
    expect(line?.raw).toHaveLength(few.steps.length);
    expect(line?.raw).toContain(9);
    expect(line?.raw).toContain(-9);
  });

  it("has all rows of a part that was zoomed into, and its neighbours", () => {
    const few = thinned(table, [5000, 5100]);
    expect(few.steps.slice(0, 2)).toEqual([4999, 5000]);
    expect(few.steps.slice(-2)).toEqual([5100, 5101]);
    expect(few.steps).toHaveLength(103);
  });

  it("of a short run is left alone", () => {
    const short = chartTable(CHARTS.reward, [makeRun(metrics.slice(0, 100))], "", 0);
    expect(thinned(short, [0, 100])).toBe(short);
  });

  it("takes a few milliseconds", () => {
    const started = performance.now();
    thinned(chartTable(CHARTS.reward, [run], "", 0.9), [0, 20_000]);
    expect(performance.now() - started).toBeLessThan(200);
  });
});
