import { describe, expect, it } from "vitest";
import { makeCompletion } from "./testing.ts";
import { measureOf, measuresOf, tokenKl, tokenShades } from "./token-shades.ts";

const token = { text: "x", id: 1, logp: -1, old_logp: -1, ratio: 1, entropy: 0.5 };

describe("tokens", () => {
  it("have the KL of the run's estimator, and none without a reference", () => {
    const moved = { ...token, ref_logp: -3 };
    expect(tokenKl(moved, "k1")).toBe(2);
    expect(tokenKl(moved, "k2")).toBe(2);
    expect(tokenKl(moved, "k3")).toBeCloseTo(Math.exp(-2) + 2 - 1, 12);
    expect(tokenKl(token, "k3")).toBeNaN();
  });

  it("are weighed by advantage × ratio", () => {
    expect(measureOf({ ...token, ratio: 1.5 }, makeCompletion({ advantage: -2 }), "ratio", "k3")).toBe(-3);
  });

  it("are blue or vermilion by sign, and as deep as their value", () => {
    const tokens = [token, { ...token, ratio: 0.5 }];
    const percents = (advantage: number) => tokenShades(makeCompletion({ advantage, tokens }), "ratio", "k3");
    expect(percents(1)).toEqual([
      "color-mix(in srgb, var(--positive) 45%, transparent)",
      "color-mix(in srgb, var(--positive) 23%, transparent)",
    ]);
    expect(percents(-1)[0]).toContain("var(--negative)");
    expect(percents(0)).toEqual(["transparent", "transparent"]);
  });

  it("are clear where a value is missing", () => {
    const tokens = [token, { ...token, entropy: NaN }];
    expect(tokenShades(makeCompletion({ tokens }), "entropy", "k3")).toEqual([
      "color-mix(in srgb, var(--entropy) 45%, transparent)",
      "transparent",
    ]);
    expect(tokenShades(makeCompletion({ tokens }), "kl", "k3")).toEqual(["transparent", "transparent"]);
  });

  it("offer the measures they have", () => {
    expect(measuresOf(makeCompletion({ tokens: [token] }))).toEqual(["ratio", "entropy"]);
    expect(measuresOf(makeCompletion({ tokens: [{ ...token, ref_logp: -1, entropy: NaN }] }))).toEqual(["ratio", "kl"]);
  });
});
