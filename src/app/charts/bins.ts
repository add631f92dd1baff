/**
 * How many values fall into each of `count` equal bins from `low` to `high`. A value on an edge belongs to the bin
 * above it, one on `high` to the last; what lies outside counts at its end, and what is not a number not at all.
 */
export function histogram(values: readonly number[], low: number, high: number, count: number): number[] {
  const bins = Array.from({ length: count }, () => 0);
  if (count === 0) return bins;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const bin = Math.floor(((value - low) / (high - low)) * count);
    const at = Math.max(0, Math.min(count - 1, bin));
    bins[at] = (bins[at] ?? 0) + 1;
  }
  return bins;
}

export interface SwarmPlace {
  /** From the middle, in dots' widths. */
  readonly side: number;
  /** Above or below the height, as a share of how far dots may stray from it: −1 to 1. */
  readonly rise: number;
}

/**
 * Where dots stand that would cover each other: side by side as far as there is room, then in rows above and below, so
 * that many dots make a thicker cloud. Rows fill from the middle.
 * @param heights any number that is equal where dots would cover each other, such as a rounded pixel
 * @param across places side by side
 * @param rows the most rows; dots beyond them use the places again
 */
export function cloud(heights: readonly number[], across: number, rows: number): SwarmPlace[] {
  const taken = new Map<number, number>();
  const most = Math.max(1, Math.floor((rows - 1) / 2));
  return heights.map((height) => {
    const k = taken.get(height) ?? 0;
    taken.set(height, k + 1);
    const row = Math.floor(k / Math.max(1, across)) % Math.max(1, rows);
    return { side: zigzag(k % Math.max(1, across)), rise: Math.max(-1, Math.min(1, zigzag(row) / most)) };
  });
}

/** 0, 1, −1, 2, −2, … */
function zigzag(k: number): number {
  const side = Math.ceil(k / 2);
  return k % 2 === 0 ? 0 - side : side;
}

/**
 * Where dots of the same height stand side by side: the first in the middle, the next to its left and right, and so
 * on, in units of a dot's width. Past `most` places the places are used again.
 * @param heights any number that is equal where dots would cover each other, such as a rounded pixel
 */
export function swarm(heights: readonly number[], most: number): number[] {
  const taken = new Map<number, number>();
  return heights.map((height) => {
    const k = (taken.get(height) ?? 0) % Math.max(1, most);
    taken.set(height, (taken.get(height) ?? 0) + 1);
    return zigzag(k);
  });
}
