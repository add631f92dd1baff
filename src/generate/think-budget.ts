/** Token ids that budget forcing works with. */
export interface BudgetTokens {
  /** `<think>`, for models that open their thought themselves. */
  readonly thinkStartId: number | undefined;
  readonly thinkEndId: number;
  /** The tokens of "Wait". */
  readonly waitIds: readonly number[];
  readonly eosIds: readonly number[];
}

/** A token that must come next, whatever the model says. */
export interface ForcedToken {
  readonly id: number;
  readonly reason: "think-min" | "think-max";
}

/**
 * Budget forcing of one sample (s1, Muennighoff et al. 2025, §3.1): at the maximum the id of `</think>` is forced;
 * below the minimum `</think>` is replaced by "Wait". An end of text inside the thought counts as wanting to stop.
 */
export class ThinkBudget {
  readonly #min: number;
  readonly #max: number;
  readonly #tokens: BudgetTokens;
  #stage: "before" | "thinking" | "after";
  #count = 0;
  #pending: number[] = [];

  /**
   * @param min tokens a thought has at least; 0 is off
   * @param max tokens a thought has at most; 0 is off
   */
  constructor(min: number, max: number, startsInThink: boolean, tokens: BudgetTokens) {
    this.#min = min;
    this.#max = max;
    this.#stage = startsInThink ? "thinking" : "before";
    this.#tokens = tokens;
  }

  get forced(): ForcedToken | undefined {
    const [wait] = this.#pending;
    if (wait !== undefined) return { id: wait, reason: "think-min" };
    if (this.#stage === "thinking" && this.#max > 0 && this.#count >= this.#max) {
      return { id: this.#tokens.thinkEndId, reason: "think-max" };
    }
    return undefined;
  }

  /** Neither the next token nor the one after it can need forcing, whatever the next one is. */
  get idle(): boolean {
    if (this.#stage !== "thinking") return this.#stage === "after";
    const beyondMin = this.#count >= this.#min;
    const belowMax = this.#max === 0 || this.#count + 1 < this.#max;
    return this.#pending.length === 0 && beyondMin && belowMax;
  }

  /** Judges a token that the model chose freely: false when it must not stand, and `forced` says what comes instead. */
  allows(id: number): boolean {
    const stops = id === this.#tokens.thinkEndId || this.#tokens.eosIds.includes(id);
    if (this.#stage !== "thinking" || !stops || this.#count >= this.#min) return true;
    this.#pending = [...this.#tokens.waitIds];
    return false;
  }

  /** Takes note of a token that became part of the output. */
  accept(id: number): void {
    if (this.#pending[0] === id) this.#pending.shift();
    if (id === this.#tokens.thinkEndId) this.#stage = "after";
    else if (this.#stage === "thinking") this.#count++;
    else if (this.#stage === "before" && id === this.#tokens.thinkStartId) this.#stage = "thinking";
  }
}
