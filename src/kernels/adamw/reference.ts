import type { AdamWStep } from "./adamw.ts";

/** Values and their moments, all of one size; f64. */
export interface AdamWState {
  readonly w: Float64Array;
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/**
 * One step of AdamW as PyTorch's `clip_grad_norm_` and `torch.optim.AdamW` take it, in place. A gradient whose norm is
 * no finite number changes nothing.
 * @returns the norm before clipping, and the factor that the gradient was taken times
 */
export function adamwReference(
  { w, first, second }: AdamWState,
  gradient: ArrayLike<number>,
  { learningRate, beta1, beta2, epsilon, weightDecay, maxGradNorm, count }: AdamWStep,
): { readonly norm: number; readonly factor: number } {
  const norm = Math.sqrt(w.reduce((sum, _, i) => sum + (gradient[i] ?? 0) ** 2, 0));
  if (!Number.isFinite(norm)) return { norm, factor: 0 };
  const factor = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;
  w.forEach((value, i) => {
    const g = (gradient[i] ?? 0) * factor;
    const m = beta1 * (first[i] ?? 0) + (1 - beta1) * g;
    const v = beta2 * (second[i] ?? 0) + (1 - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    const direction = m / (1 - beta1 ** count) / (Math.sqrt(v / (1 - beta2 ** count)) + epsilon);
    w[i] = value - learningRate * weightDecay * value - learningRate * direction;
  });
  return { norm, factor };
}
