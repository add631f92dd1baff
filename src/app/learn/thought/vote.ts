export interface VoteSettings {
  /** Chance that one sample is right, in [0, 1]: pass@1. */
  readonly right: number;
  /** Different wrong answers, each equally likely; at least 1. */
  readonly wrongAnswers: number;
  /** Samples of the longest vote. */
  readonly most: number;
}

export interface VoteCurve {
  /** [most] chance that the vote of 1, 2, … samples is right; a tie is broken by lot. Papers call it cons@k. */
  readonly cons: readonly number[];
  /** [most] chance that at least one of 1, 2, … samples is right. */
  readonly pass: readonly number[];
}

/** Exact chances of a majority vote over independent samples (self-consistency, arXiv:2203.11171). */
export function voteCurve({ right, wrongAnswers, most }: VoteSettings): VoteCurve {
  const factorials = [1];
  for (let n = 1; n <= most; n++) factorials.push((factorials[n - 1] ?? 1) * n);
  const factorial = (n: number): number => factorials[n] ?? Infinity;
  // ways[cap][options][votes]: sum of 1 / ∏ count! over all counts up to `cap` that add up to `votes`.
  const ways = Array.from({ length: most }, (_, cap) => boundedWays(cap, wrongAnswers, most, factorial));
  const cons: number[] = [];
  const pass: number[] = [];
  for (let k = 1; k <= most; k++) {
    let won = 0;
    for (let own = 1; own <= k; own++) {
      const rest = k - own;
      const drawn = (factorial(k) / factorial(own)) * right ** own * ((1 - right) / wrongAnswers) ** rest;
      // `tied` wrong answers have as many votes as the right one, the others fewer.
      for (let tied = 0; tied <= wrongAnswers && tied * own <= rest; tied++) {
        const choices = factorial(wrongAnswers) / (factorial(tied) * factorial(wrongAnswers - tied));
        const others = ways[own - 1]?.[wrongAnswers - tied]?.[rest - tied * own] ?? 0;
        won += (drawn * choices * others) / factorial(own) ** tied / (tied + 1);
      }
    }
    cons.push(won);
    pass.push(1 - (1 - right) ** k);
  }
  return { cons, pass };
}

function boundedWays(cap: number, options: number, most: number, factorial: (n: number) => number): number[][] {
  const table: number[][] = [Array.from({ length: most + 1 }, (_, votes) => Number(votes === 0))];
  for (let option = 1; option <= options; option++) {
    const before = table[option - 1] ?? [];
    table.push(
      before.map((_, votes) => {
        let sum = 0;
        for (let count = 0; count <= Math.min(cap, votes); count++)
          sum += (before[votes - count] ?? 0) / factorial(count);
        return sum;
      }),
    );
  }
  return table;
}
