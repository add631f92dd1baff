import type { PackedBatch } from "./batch.ts";

/** Packs whole sequences end to end; every token after a prompt is scored. */
export function packSequences(
  sequences: readonly (readonly number[])[],
  promptLengths: readonly number[],
): PackedBatch {
  const cuSeqlens = [0];
  const lossRows: number[] = [];
  const targets: number[] = [];
  sequences.forEach((sequence, s) => {
    const start = cuSeqlens.at(-1) ?? 0;
    for (let t = promptLengths[s] ?? 0; t < sequence.length; t++) {
      lossRows.push(start + t - 1);
      targets.push(sequence[t] ?? 0);
    }
    cuSeqlens.push(start + sequence.length);
  });
  return {
    ids: sequences.flat(),
    positions: sequences.flatMap((sequence) => sequence.map((_, i) => i)),
    cuSeqlens,
    lossRows: Uint32Array.from(lossRows),
    targets: Uint32Array.from(targets),
  };
}

/** Norm of the difference over norm. */
export function relativeError(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  let difference = 0;
  let norm = 0;
  for (let i = 0; i < wanted.length; i++) {
    difference += ((actual[i] ?? Number.NaN) - (wanted[i] ?? 0)) ** 2;
    norm += (wanted[i] ?? 0) ** 2;
  }
  return Math.sqrt(difference / norm);
}
