import { R1Error } from "../errors.ts";
import type { CachedSequence, KeptSequence } from "../model/language-model.ts";
import type { CachePlace } from "./cache-block.ts";

/** A sequence whose keys and values are a row of a block. */
export class OrtSequence implements CachedSequence {
  readonly capacity: number;
  readonly tokens: number[];
  /** Ids that the repetition penalty knows. */
  readonly seen = new Set<number>();
  readonly #release: () => void;
  /** Whose row this sequence reads until its first step. */
  #parent: OrtSequence | undefined;
  #place: CachePlace | undefined;
  #references = 1;
  #isFreed = false;

  /** @param release called once, when nothing needs the sequence any more */
  constructor(capacity: number, release: () => void, parent?: OrtSequence, prefix: readonly number[] = []) {
    this.capacity = capacity;
    this.tokens = [...prefix];
    this.#release = release;
    this.#parent = parent;
    if (parent) parent.#references++;
  }

  get length(): number {
    return this.tokens.length;
  }

  /** Undefined while nothing is cached. */
  get place(): CachePlace | undefined {
    return this.#parent ? this.#parent.place : this.#place;
  }

  /** Moves to a row of a new block. */
  moveTo(place: CachePlace): void {
    place.block.retain();
    this.#place?.block.release();
    this.#place = place;
    const parent = this.#parent;
    this.#parent = undefined;
    parent?.unreference();
  }

  truncate(length: number): void {
    if (length < 0) throw new R1Error("E_INTERNAL", `a sequence cannot be cut to ${length} tokens`);
    this.tokens.length = Math.min(this.tokens.length, length);
  }

  free(): void {
    if (this.#isFreed) return;
    this.#isFreed = true;
    this.unreference();
  }

  unreference(): void {
    this.#references--;
    if (this.#references > 0) return;
    this.#place?.block.release();
    this.#place = undefined;
    const parent = this.#parent;
    this.#parent = undefined;
    parent?.unreference();
    this.#release();
  }
}

/** A sequence's tokens and its row of a block, which it holds. */
export class KeptOrtSequence implements KeptSequence {
  readonly tokens: readonly number[];
  readonly #place: CachePlace | undefined;

  constructor({ tokens, place }: OrtSequence) {
    this.tokens = [...tokens];
    this.#place = place;
    place?.block.retain();
  }

  giveTo(sequence: OrtSequence): void {
    if (this.#place) sequence.moveTo(this.#place);
    sequence.tokens.push(...this.tokens);
  }

  dispose(): void {
    this.#place?.block.release();
  }
}
