import { R1Error } from "../errors.ts";

/** Sequences laid out one after another, for one forward pass in which none sees another. */
export interface Pack {
  /** [tokens] */
  readonly ids: Uint32Array;
  /** [tokens] position of each token in its own sequence, from 0. */
  readonly positions: Uint32Array;
  /** [n + 1] where each sequence starts in `ids`, then their end: FlashAttention's `cu_seqlens`. */
  readonly cuSeqlens: Uint32Array;
  /** [n] tokens of each sequence that are its own; fewer than its place has where it is padded. */
  readonly lengths: readonly number[];
  /** [n] the index of each sequence in what was given. */
  readonly sequences: readonly number[];
}

export interface Packing {
  readonly packs: readonly Pack[];
  /** Share of the computed room that holds a token of a sequence, in (0, 1]. */
  readonly packing_efficiency: number;
}

type Sequences = readonly ArrayLike<number>[];

/**
 * First-fit-decreasing bin packing, as TRL's `pack_dataset` and multipack samplers do, without cutting a sequence:
 * the longest first, each into the first pack that still has room. The same sequences give the same packs.
 * @param maxTokens capacity of a pack
 * @throws R1Error E_OPTION when a sequence is empty or longer than a pack
 */
export function packSequences(sequences: Sequences, maxTokens: number): Packing {
  checkLengths(sequences, maxTokens);
  const lengthOf = (index: number) => sequences[index]?.length ?? 0;
  const order = [...sequences.keys()].toSorted((a, b) => lengthOf(b) - lengthOf(a) || a - b);
  const bins: { room: number; readonly members: number[] }[] = [];
  for (const index of order) {
    const length = lengthOf(index);
    const fitting = bins.find(({ room }) => room >= length);
    if (fitting) {
      fitting.room -= length;
      fitting.members.push(index);
    } else bins.push({ room: maxTokens - length, members: [index] });
  }
  return {
    packs: bins.map(({ members }) => layOut(sequences, members, 0)),
    packing_efficiency: efficiency(sequences, bins.length * maxTokens),
  };
}

/**
 * The alternative, for comparison: every sequence padded to the longest, as many rows in a pack as fit. The padding
 * is part of each sequence's place between its `cuSeqlens`, so that it costs what padding costs.
 * @throws R1Error E_OPTION as {@link packSequences}
 */
export function padSequences(sequences: Sequences, maxTokens: number, padId: number): Packing {
  checkLengths(sequences, maxTokens);
  const width = sequences.reduce((longest, { length }) => Math.max(longest, length), 1);
  const rows = Math.floor(maxTokens / width);
  const indexes = [...sequences.keys()];
  const packs = Array.from({ length: Math.ceil(sequences.length / rows) }, (_, p) =>
    layOut(sequences, indexes.slice(p * rows, (p + 1) * rows), width, padId),
  );
  return { packs, packing_efficiency: efficiency(sequences, sequences.length * width) };
}

/** @param width least tokens of a place; shorter sequences are padded to it */
function layOut(sequences: Sequences, members: readonly number[], width: number, padId = 0): Pack {
  const lengths = members.map((index) => sequences[index]?.length ?? 0);
  const cuSeqlens = new Uint32Array(members.length + 1);
  for (const [i, length] of lengths.entries()) cuSeqlens[i + 1] = (cuSeqlens[i] ?? 0) + Math.max(length, width);
  const tokens = cuSeqlens.at(-1) ?? 0;
  const ids = new Uint32Array(tokens).fill(padId);
  const positions = new Uint32Array(tokens);
  for (const [i, index] of members.entries()) {
    const start = cuSeqlens[i] ?? 0;
    ids.set(sequences[index] ?? [], start);
    for (let t = start; t < (cuSeqlens[i + 1] ?? 0); t++) positions[t] = t - start;
  }
  return { ids, positions, cuSeqlens, lengths, sequences: members };
}

function efficiency(sequences: Sequences, room: number): number {
  return room === 0 ? 1 : sequences.reduce((sum, { length }) => sum + length, 0) / room;
}

function checkLengths(sequences: Sequences, maxTokens: number): void {
  for (const [index, { length }] of sequences.entries()) {
    if (length >= 1 && length <= maxTokens) continue;
    throw new R1Error("E_OPTION", `sequence ${index}: found ${length} tokens; expected 1 to ${maxTokens} for a pack`);
  }
}
