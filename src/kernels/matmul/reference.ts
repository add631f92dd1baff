import { rotateReference } from "../rope/reference.ts";

/** y [M, N] = x [M, K] · Wᵀ, W [N, K]; f64 accumulation. */
export function matmulReference(x: Float32Array, w: Float32Array, m: number, n: number, k: number): Float64Array {
  const y = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let l = 0; l < k; l++) sum += (x[i * k + l] ?? 0) * (w[j * k + l] ?? 0);
      y[i * n + j] = sum;
    }
  }
  return y;
}

/** silu(gate) · up for gate and up stacked as [2, I]: gu [M, 2I] → [M, I]. */
export function siluReference(gu: Float64Array, m: number, inner: number): Float64Array {
  const out = new Float64Array(m * inner);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < inner; j++) {
      const gate = gu[i * 2 * inner + j] ?? 0;
      out[i * inner + j] = (gate / (1 + Math.exp(-gate))) * (gu[i * 2 * inner + inner + j] ?? 0);
    }
  }
  return out;
}

/** What the `qkv` epilogue is checked against; sizes as in a model. */
export interface QkvReference {
  readonly headDim: number;
  readonly heads: number;
  readonly kvHeads: number;
  /** x · Wᵀ [M, (heads + 2 kvHeads) × headDim]: q, k and v in the model's order of dimensions. */
  readonly product: Float64Array;
  /** [(heads + 2 kvHeads) × headDim], or none. */
  readonly bias?: Float32Array;
  /** Position of each row [M]. */
  readonly positions: readonly number[];
  /** Radians per position of each pair [headDim / 2]. */
  readonly frequencies: Float64Array;
}

/** q, k, v = product + bias, q and k rotated. @returns as `product`, in the model's order */
export function qkvReference({
  headDim,
  heads,
  kvHeads,
  product,
  bias,
  positions,
  frequencies,
}: QkvReference): Float64Array {
  const width = (heads + 2 * kvHeads) * headDim;
  const rotated = (heads + kvHeads) * headDim;
  const out = product.map((value, i) => value + (bias?.[i % width] ?? 0));
  positions.forEach((position, row) => {
    for (let start = row * width; start < row * width + rotated; start += headDim) {
      rotateReference(out.subarray(start, start + headDim), position, frequencies);
    }
  });
  return out;
}
