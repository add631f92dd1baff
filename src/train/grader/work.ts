import { MAX_WORK } from "./limits.ts";

/** Thrown when two answers would take too long to compare; they count as different. */
export class TooMuchWork extends Error {
  override readonly name = "TooMuchWork";
}

/** What comparing two answers may still cost, in visits of a node: about a tenth of a microsecond each. */
export class Work {
  #left = MAX_WORK;

  /** @throws TooMuchWork */
  spend(cost: number): void {
    this.#left -= cost;
    if (this.#left < 0) throw new TooMuchWork("the answers take too long to compare");
  }
}
