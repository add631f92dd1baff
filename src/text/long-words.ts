/** From this many characters on, a word is merged here. */
const LONG = 256;

/**
 * Byte-pair merges of long words. The library takes many seconds for a word of two hundred thousand characters, such as a
 * run of spaces or a pasted key; the merges are the same: the lowest rank first, of equal ones the leftmost.
 * @param model the library's BPE model, which is changed; any other is left as it is
 */
export function mergeLongWords(model: object): void {
  const own: unknown = Reflect.get(model, "bpe");
  const ranks: unknown = Reflect.get(model, "bpe_ranks");
  if (typeof own !== "function" || !(ranks instanceof Map)) return;
  for (const suffix of ["end_of_word_suffix", "continuing_subword_suffix"]) if (Reflect.get(model, suffix)) return;
  const rankOf = (left: string, right: string): number | undefined => {
    const rank: unknown = ranks.get(JSON.stringify([left, right]));
    return typeof rank === "number" ? rank : undefined;
  };
  const bpe = (word: string): unknown => (word.length < LONG ? own.call(model, word) : merged(word, rankOf));
  Reflect.set(model, "bpe", bpe);
}

function merged(word: string, rankOf: (left: string, right: string) => number | undefined): string[] {
  const symbols: (string | undefined)[] = Array.from(word);
  const next = Int32Array.from(symbols, (_, i) => i + 1);
  const previous = Int32Array.from(symbols, (_, i) => i - 1);
  const queue = new PairQueue();
  const offer = (at: number): void => {
    const left = symbols[at];
    const right = symbols[next[at] ?? symbols.length];
    if (left === undefined || right === undefined) return;
    const rank = rankOf(left, right);
    if (rank !== undefined) queue.push(rank, at, left.length + right.length);
  };
  for (let i = 0; i + 1 < symbols.length; i++) offer(i);
  for (let pair = queue.pop(); pair; pair = queue.pop()) {
    const { at, size } = pair;
    const left = symbols[at];
    const after = next[at] ?? symbols.length;
    const right = symbols[after];
    // Either half has been merged with another since.
    if (left === undefined || right === undefined || left.length + right.length !== size) continue;
    symbols[at] = left + right;
    symbols[after] = undefined;
    const follower = next[after] ?? symbols.length;
    next[at] = follower;
    if (follower < symbols.length) previous[follower] = at;
    const before = previous[at] ?? -1;
    if (before >= 0) offer(before);
    offer(at);
  }
  return symbols.filter((symbol) => symbol !== undefined);
}

interface Pair {
  readonly rank: number;
  readonly at: number;
  readonly size: number;
}

/** A binary heap: the lowest rank first, then the leftmost. */
class PairQueue {
  readonly #heap: Pair[] = [];

  push(rank: number, at: number, size: number): void {
    const heap = this.#heap;
    const pair = { rank, at, size };
    let place = heap.length;
    heap.push(pair);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = heap[parent];
      if (!above || !isBefore(pair, above)) break;
      heap[place] = above;
      place = parent;
    }
    heap[place] = pair;
  }

  pop(): Pair | undefined {
    const heap = this.#heap;
    const [top] = heap;
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (!left) break;
      let best = left;
      if (right && isBefore(right, left)) {
        best = right;
        child++;
      }
      if (!isBefore(best, last)) break;
      heap[place] = best;
      place = child;
    }
    heap[place] = last;
    return top;
  }
}

function isBefore(a: Pair, b: Pair): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.at < b.at);
}
