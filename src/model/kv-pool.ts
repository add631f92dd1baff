import { R1Error } from "../errors.ts";

interface Gap {
  start: number;
  rows: number;
}

/** Hands out contiguous runs of cache rows (tokens); first fit, neighbours merged on return. */
export class KvPool {
  readonly capacity: number;
  #gaps: Gap[];

  constructor(capacity: number) {
    this.capacity = capacity;
    this.#gaps = [{ start: 0, rows: capacity }];
  }

  get freeRows(): number {
    return this.#gaps.reduce((sum, gap) => sum + gap.rows, 0);
  }

  /** @throws R1Error E_KV_FULL when no gap is long enough */
  take(rows: number): number {
    const gap = this.#gaps.find((candidate) => candidate.rows >= rows);
    if (!gap) {
      throw new R1Error(
        "E_KV_FULL",
        `the KV cache has no room for ${rows} tokens: ${this.freeRows} of ${this.capacity} are free`,
      );
    }
    const { start } = gap;
    gap.start += rows;
    gap.rows -= rows;
    this.#gaps = this.#gaps.filter((candidate) => candidate.rows > 0);
    return start;
  }

  give(start: number, rows: number): void {
    if (rows === 0) return;
    const sorted = [...this.#gaps, { start, rows }].toSorted((a, b) => a.start - b.start);
    this.#gaps = [];
    for (const gap of sorted) {
      const last = this.#gaps.at(-1);
      if (last && last.start + last.rows === gap.start) last.rows += gap.rows;
      else this.#gaps.push({ ...gap });
    }
  }
}
