import { describe, expect, it } from "vitest";
import { Rng } from "./rng.ts";

const draws = (rng: Rng, count: number, n = 1000): number[] => Array.from({ length: count }, () => rng.int(n));

describe("rng", () => {
  it("gives the same numbers for the same seed and path, on every platform", () => {
    expect(draws(new Rng(1), 5)).toEqual([707, 886, 654, 110, 900]);
    expect(draws(new Rng(1, 2, 3), 5)).toEqual([684, 663, 794, 7, 833]);
    expect(new Rng(7).uniform()).toBe(0.5268989867456223);
    expect(new Rng(-5, 2 ** 40).shuffle([1, 2, 3, 4, 5, 6])).toEqual([6, 4, 1, 2, 5, 3]);
  });

  it("gives other numbers for another seed, another path, and a path's beginning", () => {
    const rngs = [
      new Rng(0),
      new Rng(1),
      new Rng(-1),
      new Rng(2 ** 32),
      new Rng(0, 0),
      new Rng(0, 0, 0),
      new Rng(0, 1),
      new Rng(0, 2 ** 32),
      new Rng(0, 0, 1),
      new Rng(0, 1, 0),
    ];
    expect(new Set(rngs.map((rng) => draws(rng, 4, 2 ** 32).join(" "))).size).toBe(rngs.length);
  });

  it("draws uniformly", () => {
    const rng = new Rng(3);
    const counts = Array.from({ length: 7 }, () => 0);
    let sum = 0;
    for (let i = 0; i < 14_000; i++) {
      const k = rng.int(7);
      counts[k] = (counts[k] ?? 0) + 1;
      const u = rng.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      sum += u;
    }
    for (const count of counts) expect(Math.abs(count - 2000)).toBeLessThan(200);
    expect(sum / 14_000).toBeCloseTo(0.5, 1);
    expect(Array.from({ length: 20 }, () => rng.int(1))).toEqual(Array.from({ length: 20 }, () => 0));
  });

  it("gives every order of a shuffle the same chance, and leaves the list alone", () => {
    const rng = new Rng(4);
    const list = Object.freeze(["a", "b", "c"]);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const order = rng.shuffle(list).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
    expect(rng.shuffle([])).toEqual([]);
  });

  it("shuffles in the order of striking out one after another, whatever the length", () => {
    const struckOut = (rng: Rng, items: readonly number[]): number[] => {
      const rest = [...items];
      return items.map(() => rest.splice(rng.int(rest.length), 1)[0] ?? Number.NaN);
    };
    for (const [seed, length] of [...Array(70).keys(), 127, 128, 129, 1000, 4097].entries()) {
      const items = Array.from({ length }, (_, i) => 3 * i);
      const [one, two] = [new Rng(seed, 3), new Rng(seed, 3)];
      expect(one.shuffle(items)).toEqual(struckOut(two, items));
      // As many numbers were drawn.
      expect(one.int(2 ** 32)).toBe(two.int(2 ** 32));
    }
  });

  it("shuffles a million in about a second", () => {
    const million = Array.from({ length: 1_000_000 }, (_, i) => i);
    const started = performance.now();
    const shuffled = new Rng(6).shuffle(million);
    // Far more than it takes, for a machine that is busy; it took minutes when it was quadratic.
    expect(performance.now() - started).toBeLessThan(8_000);
    expect(new Set(shuffled).size).toBe(1_000_000);
  });

  it("chooses by weight", () => {
    const rng = new Rng(5);
    const chosen = Array.from({ length: 4000 }, () => rng.weighted(["a", "b", "c", "d"], [1, 0, 3, 0]));
    expect(new Set(chosen)).toEqual(new Set(["a", "c"]));
    expect(chosen.filter((one) => one === "c").length / 4000).toBeCloseTo(0.75, 1);
    expect(Array.from({ length: 4000 }, () => rng.chance(0.2)).filter(Boolean).length / 4000).toBeCloseTo(0.2, 1);
    expect([rng.chance(0), rng.chance(1)]).toEqual([false, true]);
    expect(new Set(Array.from({ length: 50 }, () => rng.pick(["x", "y"])))).toEqual(new Set(["x", "y"]));
  });

  it("refuses what it cannot draw from", () => {
    const refused = expect.objectContaining({ code: "E_OPTION" }) as unknown;
    const rng = new Rng(0);
    for (const n of [0, -1, 1.5, Number.NaN, 2 ** 32 + 1]) expect(() => rng.int(n)).toThrow(refused);
    expect(() => rng.pick([])).toThrow(refused);
    for (const weights of [[0, 0], [1], [1, -1], [Number.NaN, 1], [Infinity, 1]]) {
      expect(() => rng.weighted(["a", "b"], weights)).toThrow(refused);
    }
    for (const seed of [0.5, Number.NaN, 2 ** 53]) {
      expect(() => new Rng(seed)).toThrow(refused);
      expect(() => new Rng(0, seed)).toThrow(refused);
    }
  });
});
