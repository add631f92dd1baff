/** A training text: token ids of prompt and completion, and where the completion begins. */
export interface Example {
  readonly ids: readonly number[];
  /** Tokens before the first scored one; 0 scores all that have a token before them. */
  readonly promptLength: number;
}

/** Whether an example has a token that is scored: one of the completion's, with a token before it. */
export function isScored({ ids, promptLength }: Example): boolean {
  return ids.length > Math.max(1, promptLength);
}
