import type { VarlenShape } from "./source.ts";

/** Rows of q, k, v of all heads [rows, (heads + 2 kvHeads) × headDim], not padded, and where each sequence begins. */
export interface PackedSequences extends VarlenShape {
  readonly qkv: ArrayLike<number>;
  /** [sequences + 1], as in FlashAttention's varlen functions. */
  readonly cuSeqlens: readonly number[];
}

/** Calls back for each row and head with the row's first key and where q, k and v of a head begin in the row `j`. */
function eachQuery(
  { headDim, heads, kvHeads, cuSeqlens }: PackedSequences,
  visit: (i: number, head: number, start: number, at: Record<"q" | "k" | "v", (j: number) => number>) => void,
): void {
  const width = (heads + 2 * kvHeads) * headDim;
  for (let s = 0; s + 1 < cuSeqlens.length; s++) {
    const start = cuSeqlens[s] ?? 0;
    for (let i = start; i < (cuSeqlens[s + 1] ?? 0); i++) {
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor((head * kvHeads) / heads);
        visit(i, head, start, {
          q: (j) => j * width + head * headDim,
          k: (j) => j * width + (heads + kvHead) * headDim,
          v: (j) => j * width + (heads + kvHeads + kvHead) * headDim,
        });
      }
    }
  }
}

function dotAt(a: ArrayLike<number>, aAt: number, b: ArrayLike<number>, bAt: number, count: number): number {
  let sum = 0;
  for (let d = 0; d < count; d++) sum += (a[aAt + d] ?? 0) * (b[bAt + d] ?? 0);
  return sum;
}

/** to[toAt..] += factor · from[fromAt..] */
function addAt(to: Float64Array, toAt: number, factor: number, from: ArrayLike<number>, fromAt: number, count: number) {
  for (let d = 0; d < count; d++) to[toAt + d] = (to[toAt + d] ?? 0) + factor * (from[fromAt + d] ?? 0);
}

function rowsOf({ cuSeqlens }: PackedSequences): number {
  return cuSeqlens.at(-1) ?? 0;
}

/**
 * Causal attention softmax(q · kᵀ / √headDim) · v of each sequence by itself.
 * @returns out [rows, heads × headDim] and the log-sum-exp of each row's scores [rows, heads]
 */
export function varlenAttentionReference(of: PackedSequences): {
  readonly out: Float64Array;
  readonly lse: Float64Array;
} {
  const { headDim, heads, qkv } = of;
  const out = new Float64Array(rowsOf(of) * heads * headDim);
  const lse = new Float64Array(rowsOf(of) * heads);
  eachQuery(of, (i, head, start, at) => {
    const scores: number[] = [];
    for (let j = start; j <= i; j++) scores.push(dotAt(qkv, at.q(i), qkv, at.k(j), headDim) / Math.sqrt(headDim));
    const top = Math.max(...scores);
    const total = scores.reduce((sum, score) => sum + Math.exp(score - top), 0);
    lse[i * heads + head] = top + Math.log(total);
    scores.forEach((score, j) => {
      addAt(out, (i * heads + head) * headDim, Math.exp(score - top) / total, qkv, at.v(start + j), headDim);
    });
  });
  return { out, lse };
}

/**
 * Gradient of a loss for q, k and v, by the derivative of the softmax: ds = p ∘ (dp − ⟨p, dp⟩).
 * @param dOut gradient for the output [rows, heads × headDim]
 * @returns as `qkv`
 */
export function varlenAttentionGradientReference(of: PackedSequences, dOut: ArrayLike<number>): Float64Array {
  const { headDim, heads, qkv } = of;
  const { lse } = varlenAttentionReference(of);
  const scale = 1 / Math.sqrt(headDim);
  const dQkv = new Float64Array(qkv.length);
  eachQuery(of, (i, head, start, at) => {
    const row = (i * heads + head) * headDim;
    const p: number[] = [];
    const dp: number[] = [];
    for (let j = start; j <= i; j++) {
      p.push(Math.exp(dotAt(qkv, at.q(i), qkv, at.k(j), headDim) * scale - (lse[i * heads + head] ?? 0)));
      dp.push(dotAt(dOut, row, qkv, at.v(j), headDim));
    }
    const mean = dotAt(p, 0, dp, 0, p.length);
    p.forEach((probability, index) => {
      const j = start + index;
      const ds = probability * ((dp[index] ?? 0) - mean) * scale;
      addAt(dQkv, at.q(i), ds, qkv, at.k(j), headDim);
      addAt(dQkv, at.k(j), ds, qkv, at.q(i), headDim);
      addAt(dQkv, at.v(j), probability, dOut, row, headDim);
    });
  });
  return dQkv;
}
