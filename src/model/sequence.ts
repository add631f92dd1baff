import { R1Error } from "../errors.ts";
import type { KvPool } from "./kv-pool.ts";

/** What a new sequence shares with an older one. */
export interface Fork {
  readonly parent: Sequence;
  readonly prefix: readonly number[];
}

/** One sequence's place in the cache: an optional prefix shared with its parent, then rows of its own. */
export class Sequence {
  /** Row of the per-slot buffers (last token, seen tokens). */
  readonly slot: number;
  readonly capacity: number;
  readonly prefixBase: number;
  readonly prefixLength: number;
  readonly ownBase: number;
  /** Tokens whose keys and values are in the cache, prefix included. */
  readonly tokens: number[];
  readonly #pool: KvPool;
  readonly #parent: Sequence | undefined;
  readonly #release: (sequence: Sequence) => void;
  #references = 1;
  #freed = false;

  /**
   * @param capacity tokens the sequence can come to hold, prefix included
   * @throws R1Error E_KV_FULL
   */
  constructor(
    pool: KvPool,
    slot: number,
    capacity: number,
    release: (sequence: Sequence) => void,
    { parent, prefix }: Partial<Fork> = {},
  ) {
    if (parent && parent.prefixLength > 0) throw new R1Error("E_INTERNAL", "only an unforked sequence can be forked");
    this.slot = slot;
    this.capacity = capacity;
    this.prefixBase = parent?.ownBase ?? 0;
    this.prefixLength = prefix?.length ?? 0;
    this.ownBase = pool.take(capacity - this.prefixLength);
    this.tokens = [...(prefix ?? [])];
    this.#pool = pool;
    this.#parent = parent;
    this.#release = release;
    if (parent) parent.#references++;
  }

  get length(): number {
    return this.tokens.length;
  }

  /** Cache row of a position. */
  row(position: number): number {
    return position < this.prefixLength ? this.prefixBase + position : this.ownBase + position - this.prefixLength;
  }

  /** Forgets the tokens from `length` on, so that the next prefill overwrites them. */
  truncate(length: number): void {
    if (length < this.prefixLength) throw new R1Error("E_INTERNAL", "a shared prefix cannot be cut");
    this.tokens.length = Math.min(this.tokens.length, length);
  }

  /** Frees the rows once no fork reads them any more. */
  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    this.#unreference();
  }

  #unreference(): void {
    this.#references--;
    if (this.#references > 0) return;
    this.#pool.give(this.ownBase, this.capacity - this.prefixLength);
    this.#release(this);
    if (this.#parent) this.#parent.#unreference();
  }
}

/** Length of the longest common prefix. */
export function commonPrefix(a: readonly number[], b: readonly number[]): number {
  const most = Math.min(a.length, b.length);
  let i = 0;
  while (i < most && a[i] === b[i]) i++;
  return i;
}
