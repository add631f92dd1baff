import type { AttentionShape } from "./source.ts";

/** One sequence as the reference sees it: dense K and V [length, kvHeads × headDim] in the model's order. */
export interface DenseSequence {
  readonly length: number;
  readonly newRows: number;
  /** [newRows, heads × headDim] */
  readonly q: Float32Array;
  readonly k: Float32Array;
  readonly v: Float32Array;
}

/** Causal softmax(q·Kᵀ/√d)·V, f64. @returns [newRows, heads × headDim] */
export function attentionReference(shape: AttentionShape, { length, newRows, q, k, v }: DenseSequence): Float64Array {
  const { headDim, heads, kvHeads } = shape;
  const group = heads / kvHeads;
  const out = new Float64Array(newRows * heads * headDim);
  for (let row = 0; row < newRows; row++) {
    const visible = length - newRows + row + 1;
    for (let head = 0; head < heads; head++) {
      const qAt = (row * heads + head) * headDim;
      const kvHead = Math.floor(head / group);
      const scores = Array.from({ length: visible }, (_, t) => {
        let dot = 0;
        for (let d = 0; d < headDim; d++) dot += (q[qAt + d] ?? 0) * (k[(t * kvHeads + kvHead) * headDim + d] ?? 0);
        return dot / Math.sqrt(headDim);
      });
      const top = Math.max(...scores);
      const weights = scores.map((s) => Math.exp(s - top));
      const sum = weights.reduce((a, b) => a + b, 0);
      weights.forEach((weight, t) => {
        for (let d = 0; d < headDim; d++) {
          const at = qAt + d;
          out[at] = (out[at] ?? 0) + (weight / sum) * (v[(t * kvHeads + kvHead) * headDim + d] ?? 0);
        }
      });
    }
  }
  return out;
}

/** Rearranges heads of [n × headDim] values into rotary-pair order (0, d/2, 1, d/2 + 1, …). */
export function toPairOrder(values: Float32Array, headDim: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  for (let base = 0; base < values.length; base += headDim) {
    for (let i = 0; i < headDim / 2; i++) {
      out[base + 2 * i] = values[base + i] ?? 0;
      out[base + 2 * i + 1] = values[base + headDim / 2 + i] ?? 0;
    }
  }
  return out;
}
