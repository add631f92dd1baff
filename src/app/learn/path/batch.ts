import { packSequences, padSequences } from "../../../train/packing.ts";
import type { Pack, Packing } from "../../../train/packing.ts";

/** Shares of the spread by which each sequence of the example is shorter than the longest. */
const SHORTER = [0, 0.82, 0.55, 0.93, 0.3, 0.7, 0.45, 0.88] as const;

/** @param spread 0 for sequences of one length, 1 for very different ones */
export function exampleLengths(longest: number, spread: number): readonly number[] {
  return SHORTER.map((share) => Math.max(1, Math.round(longest * (1 - share * spread))));
}

/** The same sequences laid out both ways. */
export interface Layouts {
  readonly padded: Packing;
  readonly packed: Packing;
}

export function layOutBoth(lengths: readonly number[], maxTokens: number): Layouts {
  const sequences = lengths.map((length) => ({ length }));
  return { padded: padSequences(sequences, maxTokens, 0), packed: packSequences(sequences, maxTokens) };
}

/** A sequence's place in a pack, in tokens. */
export interface Place {
  readonly sequence: number;
  readonly start: number;
  readonly length: number;
  readonly padding: number;
}

export function placesOf({ cuSeqlens, lengths, sequences }: Pack): readonly Place[] {
  return sequences.map((sequence, i) => {
    const [start = 0, end = 0] = cuSeqlens.subarray(i, i + 2);
    const length = lengths[i] ?? 0;
    return { sequence, start, length, padding: end - start - length };
  });
}

/** Pairs of tokens that causal attention compares when each sequence sees only itself. */
export function attentionPairs(packing: Packing): number {
  let pairs = 0;
  for (const { cuSeqlens } of packing.packs) {
    for (let i = 1; i < cuSeqlens.length; i++) {
      const length = (cuSeqlens[i] ?? 0) - (cuSeqlens[i - 1] ?? 0);
      pairs += (length * (length + 1)) / 2;
    }
  }
  return pairs;
}
