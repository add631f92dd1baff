import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cloud, histogram, swarm } from "./bins.ts";
import { reachOf, signOf, stepAxisEnd, stepRange, ticks, wash } from "./scales.ts";
import { spread } from "./spread.ts";

describe("colours", () => {
  it.each([
    [0.4, "positive"],
    [-0.4, "negative"],
    [0, "zero"],
    // A dead group's, by rounding.
    [1.4e-13, "zero"],
    [NaN, "zero"],
  ] as const)("of an advantage of %d mean %s", (advantage, sign) => {
    expect(signOf(advantage)).toBe(sign);
  });

  it("deepen towards the limit, and no further", () => {
    expect(wash(0, 2, "kl")).toBe("transparent");
    expect(wash(1, 2, "kl")).toBe("color-mix(in srgb, var(--kl) 23%, transparent)");
    expect(wash(-2, 2, "negative")).toBe("color-mix(in srgb, var(--negative) 45%, transparent)");
    expect(wash(99, 2, "kl")).toBe(wash(2, 2, "kl"));
  });

  it("are clear where nothing differs or a value is missing", () => {
    expect(wash(1, 0, "kl")).toBe("transparent");
    expect(wash(NaN, 1, "kl")).toBe("transparent");
  });

  it("reach as far as the greatest finite value from zero", () => {
    expect(reachOf([1, -3, NaN, Infinity])).toBe(3);
    expect(reachOf([])).toBe(0);
  });
});

describe("the axis of steps", () => {
  it.each([
    [0, 200, 10],
    [7, 200, 10],
    [11, 200, 20],
    [21, 200, 50],
    [84, 200, 100],
    [101, 1000, 200],
    // The run is shorter than the leap, or longer than it said.
    [101, 150, 150],
    [5, 5, 5],
    [12, 10, 12],
  ])("at step %d of %d ends at %d", (newest, maxSteps, end) => {
    expect(stepAxisEnd(newest, maxSteps)).toBe(end);
  });

  it("shows what was chosen, or the newest", () => {
    expect(stepRange(undefined, 84, 200)).toEqual([0, 100]);
    expect(stepRange({ from: 3, to: 9 }, 84, 200)).toEqual([3, 9]);
    expect(stepRange({ last: 20 }, 84, 200)).toEqual([64, 84]);
    expect(stepRange({ last: 20 }, 4, 200)).toEqual([0, 20]);
  });
});

describe("ticks", () => {
  it.each([
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [-2.5, 2.5, 4, [-2, 0, 2]],
    [0, 0.3, 3, [0, 0.1, 0.2, 0.3]],
    [1, 1, 5, []],
    [0, Infinity, 5, []],
  ])("from %d to %d, about %d", (low, high, count, expected) => {
    expect(ticks(low, high, count)).toEqual(expected);
  });
});

describe("histogram", () => {
  it("counts each value once, edges upwards and the end downwards", () => {
    expect(histogram([0, 0.5, 1, 1.5, 2], 0, 2, 2)).toEqual([2, 3]);
    expect(histogram([-9, 9, NaN], 0, 2, 2)).toEqual([1, 1]);
    expect(histogram([1], 0, 2, 0)).toEqual([]);
  });

  it("loses nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true })), fc.integer({ min: 1, max: 40 }), (values, count) => {
        expect(histogram(values, -1, 1, count).reduce((a, b) => a + b, 0)).toBe(values.length);
      }),
    );
  });
});

describe("swarm", () => {
  it("puts dots of a height side by side about the middle", () => {
    expect(swarm([5, 5, 9, 5, 5], 9)).toEqual([0, 1, 0, -1, 2]);
  });

  it("uses places again past the most", () => {
    expect(swarm([1, 1, 1, 1], 3)).toEqual([0, 1, -1, 0]);
  });
});

describe("cloud", () => {
  it("fills a row, then the ones above and below it", () => {
    expect(cloud([5, 5, 5, 9, 5, 5], 2, 3)).toEqual([
      { side: 0, rise: 0 },
      { side: 1, rise: 0 },
      { side: 0, rise: 1 },
      { side: 0, rise: 0 },
      { side: 1, rise: 1 },
      { side: 0, rise: -1 },
    ]);
  });

  it("strays no further however many there are", () => {
    const many = Array.from({ length: 500 }, () => 1);
    for (const rows of [1, 2, 9]) {
      for (const { side, rise } of cloud(many, 3, rows)) {
        expect(Math.abs(rise)).toBeLessThanOrEqual(1);
        expect(Math.abs(side)).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe("spread", () => {
  it("leaves labels that do not touch", () => {
    expect(spread([30, 10], 10, 0, 100)).toEqual([30, 10]);
  });

  it("moves those that do apart about their middle, and within the ends", () => {
    expect(spread([50, 50], 10, 0, 100)).toEqual([45, 55]);
    expect(spread([99, 100, 2], 10, 0, 100)).toEqual([90, 100, 2]);
  });

  it("keeps order, gap and ends for any labels that have room", () => {
    const positions = fc.array(fc.integer({ min: -20, max: 120 }), { maxLength: 10 });
    fc.assert(
      fc.property(positions, (wanted) => {
        const placed = spread(wanted, 10, 0, 100);
        const sorted = placed.toSorted((a, b) => a - b);
        for (const [k, at] of sorted.entries()) {
          expect(at).toBeGreaterThanOrEqual(-1e-9);
          expect(at).toBeLessThanOrEqual(100 + 1e-9);
          if (k > 0) expect(at - (sorted[k - 1] ?? 0)).toBeGreaterThanOrEqual(10 - 1e-9);
        }
        for (const [i, a] of wanted.entries()) {
          for (const [j, b] of wanted.entries()) if (a < b) expect(placed[i]).toBeLessThan(placed[j] ?? 0);
        }
      }),
    );
  });

  it("overlaps evenly where there is no room", () => {
    expect(spread([0, 0, 0], 10, 0, 10)).toEqual([0, 5, 10]);
  });
});
