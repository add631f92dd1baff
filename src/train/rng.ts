import { R1Error } from "../errors.ts";
import { threefry2x32 } from "../kernels/random/threefry.ts";
import type { U32Pair } from "../kernels/random/threefry.ts";

const TWO_32 = 2 ** 32;
/** Keeps the counters that make keys apart from those that make numbers. */
const KEY_DOMAIN = 0x80000000;

/**
 * Random numbers that have an address: the same seed and path give the same numbers on every platform, so that the
 * randomness of any step can be had without running the steps before it. Threefry2x32-20 in counter mode.
 */
export class Rng {
  readonly #key: U32Pair;
  #count = 0;

  /**
   * @param seed any safe integer
   * @param path safe integers that name the use, for example purpose, step, index; another path is another stream
   * @throws R1Error E_OPTION for anything but safe integers
   */
  constructor(seed: number, ...path: readonly number[]) {
    let key: U32Pair = words("seed", seed);
    for (const part of path) {
      const [low, high] = words("random path", part);
      key = threefry2x32(key, [low, (high ^ KEY_DOMAIN) >>> 0]);
    }
    // Once more, so that Rng(seed) and Rng(seed, ...) never share a key.
    this.#key = threefry2x32(key, [path.length, KEY_DOMAIN >>> 1]);
  }

  /** A number in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const [x, y] = this.#next();
    return ((x >>> 5) * 2 ** 26 + (y >>> 6)) / 2 ** 53;
  }

  /**
   * A whole number in [0, n), each equally likely.
   * @throws R1Error E_OPTION unless n is a whole number from 1 to 2^32
   */
  int(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > TWO_32) {
      throw new R1Error("E_OPTION", `random int: ${n} is not a whole number from 1 to 2^32`);
    }
    // Numbers from the last, incomplete run of n would favour small results.
    const end = TWO_32 - (TWO_32 % n);
    for (;;) {
      const [x] = this.#next();
      if (x < end) return x % n;
    }
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.uniform() < p;
  }

  /** @throws R1Error E_OPTION for an empty list */
  pick<T>(items: readonly T[]): T {
    return at(items, this.int(items.length));
  }

  /**
   * A new array in random order, each order equally likely (Fisher & Yates in its first form: strike out one of those that
   * are left). O(n log n).
   */
  shuffle<T>(items: readonly T[]): T[] {
    const rest = new Remaining(items.length);
    return items.map((_, struck) => at(items, rest.take(this.int(items.length - struck))));
  }

  /**
   * One of the items, each in proportion to its weight.
   * @param weights as many as items, none negative, not all zero
   * @throws R1Error E_OPTION for other weights
   */
  weighted<T>(items: readonly T[], weights: readonly number[]): T {
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    if (
      weights.length !== items.length ||
      !weights.every((weight) => weight >= 0) ||
      !(total > 0 && total < Infinity)
    ) {
      throw new R1Error("E_OPTION", `random weights ${JSON.stringify(weights)} do not fit ${items.length} items`);
    }
    let left = this.uniform() * total;
    // Rounding can leave a rest after the last item; it belongs to the last that has a weight.
    let chosen = weights.findLastIndex((weight) => weight > 0);
    for (const [i, weight] of weights.entries()) {
      if (left < weight) {
        chosen = i;
        break;
      }
      left -= weight;
    }
    return at(items, chosen);
  }

  #next(): U32Pair {
    const count = this.#count++;
    return threefry2x32(this.#key, words("random counter", count));
  }
}

/**
 * The numbers 0 to n − 1, of which the k-th that is left can be taken: a tree of counts (Fenwick 1994). Taking out of an
 * array gives the same order, which runs that were begun so rely on, but moves the rest of it each time.
 */
class Remaining {
  /** [size + 1] at i, how many are left of the numbers from i − (i & −i) to i − 1. */
  readonly #counts: Uint32Array;
  readonly #top: number;

  constructor(size: number) {
    this.#counts = Uint32Array.from({ length: size + 1 }, (_, i) => i & -i);
    this.#top = size === 0 ? 0 : 2 ** (31 - Math.clz32(size));
  }

  /** @param k counted from 0 among those that are left */
  take(k: number): number {
    let before = 0;
    let left = k;
    for (let step = this.#top; step > 0; step >>>= 1) {
      const count = this.#counts[before + step];
      if (count === undefined) continue;
      if (count <= left) {
        before += step;
        left -= count;
      } else {
        // The number lies in this range, which has one less from now on.
        this.#counts[before + step] = count - 1;
      }
    }
    return before;
  }
}

/** An item that is there, though its type may include undefined. */
function at<T>(items: readonly T[], index: number): T {
  for (const item of items.slice(index, index + 1)) return item;
  throw new R1Error("E_INTERNAL", `random choice: no item ${index} among ${items.length}`);
}

/** Low and high half of an integer's two's complement. */
function words(what: string, value: number): U32Pair {
  if (!Number.isSafeInteger(value)) throw new R1Error("E_OPTION", `${what}: ${value} is not a safe integer`);
  return [value >>> 0, Math.floor(value / TWO_32) >>> 0];
}
