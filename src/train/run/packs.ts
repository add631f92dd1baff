import type { PackedBatch } from "../../model/training/batch.ts";
import { packSequences, padSequences } from "../packing.ts";
import type { Pack } from "../packing.ts";

/** A sequence whose tokens from `promptLength` on (at least the second) are scored. */
export interface Scored {
  readonly ids: readonly number[];
  readonly promptLength: number;
}

/** A packed batch and whose scored tokens it holds, in its order. */
export interface ScoredPack {
  readonly batch: PackedBatch;
  /** Indexes of the sequences, in the order of their scored rows. */
  readonly sequences: readonly number[];
  /** Scored tokens of each. */
  readonly counts: readonly number[];
}

export interface ScoredPacks {
  readonly packs: readonly ScoredPack[];
  readonly packing_efficiency: number;
  /** Scored tokens of all. */
  readonly tokens: number;
}

/**
 * Packs sequences for scoring, without padding unless it is asked for.
 * @throws R1Error E_OPTION for a sequence that is longer than a pack
 */
export function packScored(
  sequences: readonly Scored[],
  maxTokens: number,
  padding?: { readonly padId: number },
): ScoredPacks {
  const ids = sequences.map((sequence) => sequence.ids);
  const { packs, packing_efficiency } = padding
    ? padSequences(ids, maxTokens, padding.padId)
    : packSequences(ids, maxTokens);
  const scored = packs.map((pack) => scoredPack(pack, sequences));
  return {
    packs: scored,
    packing_efficiency,
    tokens: scored.reduce((sum, { batch }) => sum + batch.lossRows.length, 0),
  };
}

function scoredPack({ ids, positions, cuSeqlens, sequences: members }: Pack, all: readonly Scored[]): ScoredPack {
  const lossRows: number[] = [];
  const targets: number[] = [];
  const counts = members.map((index, place) => {
    const start = cuSeqlens[place] ?? 0;
    const { ids: own = [], promptLength = 0 } = all[index] ?? {};
    // A first token has nothing before it to be predicted from.
    const first = Math.max(1, promptLength);
    for (let t = first; t < own.length; t++) {
      lossRows.push(start + t - 1);
      targets.push(own[t] ?? 0);
    }
    return Math.max(0, own.length - first);
  });
  return {
    batch: {
      ids,
      positions,
      cuSeqlens,
      lossRows: Uint32Array.from(lossRows),
      targets: Uint32Array.from(targets),
    },
    sequences: members,
    counts,
  };
}

/** Puts values per scored row of the packs into the sequences' own order, one sequence after another. */
export function inSequenceOrder(
  { packs }: ScoredPacks,
  values: readonly Float32Array[],
  count: number,
): { readonly values: Float32Array<ArrayBuffer>; readonly offsets: readonly number[] } {
  const lengths = Array.from({ length: count }, () => 0);
  for (const { sequences, counts } of packs) sequences.forEach((s, i) => (lengths[s] = counts[i] ?? 0));
  const offsets: number[] = [];
  let end = 0;
  for (const length of lengths) {
    offsets.push(end);
    end += length;
  }
  const out = new Float32Array(end);
  packs.forEach(({ sequences, counts }, p) => {
    let at = 0;
    sequences.forEach((s, i) => {
      const n = counts[i] ?? 0;
      out.set(values[p]?.subarray(at, at + n) ?? [], offsets[s]);
      at += n;
    });
  });
  return { values: out, offsets };
}

/** The other way round: a pack's rows of values that lie in the sequences' order. */
export function inPackOrder(
  { sequences, counts }: ScoredPack,
  values: Float32Array,
  offsets: readonly number[],
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(counts.reduce((a, b) => a + b, 0));
  let at = 0;
  sequences.forEach((s, i) => {
    const n = counts[i] ?? 0;
    const start = offsets[s] ?? 0;
    out.set(values.subarray(start, start + n), at);
    at += n;
  });
  return out;
}
