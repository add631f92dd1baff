/** How long a thought may be and must be, in tokens; 0 for no bound. */
export interface ThinkBudget {
  readonly max: number;
  readonly min: number;
}

/** What comes after the thought's own words. */
export type ThoughtEnd =
  /** The model closed it itself. */
  | "own"
  /** The budget closed it. */
  | "forced";

export interface BudgetedThought {
  /** Tokens kept, in order; `Wait` stands where the budget put it. */
  readonly tokens: readonly string[];
  /** Indexes in `tokens` of what the model did not choose itself. */
  readonly injected: readonly number[];
  readonly end: ThoughtEnd;
}

export const WAIT = "Wait";

/**
 * Budget forcing (s1, arXiv:2501.19393, §3.1) on a thought whose continuations are known. Each part ends where the
 * model would close the thought: below the least length its end is replaced by "Wait" and the next part follows; at the
 * most tokens the thought is closed whatever it was saying. The upper bound wins over the lower.
 * @param parts tokens up to the model's own end, then what it would go on with after each "Wait"
 */
export function forceBudget(parts: readonly (readonly string[])[], { max, min }: ThinkBudget): BudgetedThought {
  const limit = max > 0 ? max : Infinity;
  const tokens: string[] = [];
  const injected: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (index > 0) {
      if (tokens.length >= min || tokens.length >= limit) break;
      injected.push(tokens.length);
      tokens.push(WAIT);
    }
    tokens.push(...part);
  }
  if (tokens.length <= limit) return { tokens, injected, end: "own" };
  return { tokens: tokens.slice(0, limit), injected: injected.filter((at) => at < limit), end: "forced" };
}

/** The example's tokens: a word with the space before it, or what stands between bars where a language has no spaces. */
export function splitTokens(text: string): readonly string[] {
  return text.split(/\||(?=\s\S)/).filter((token) => token !== "");
}

/** The last number a thought has come to: what the example would answer. */
export function lastNumber(tokens: readonly string[]): string | undefined {
  return tokens.join("").match(/\d+/g)?.at(-1);
}
