import type { CatalogueForm } from "../../checkpoint/hub/catalogue.ts";
import type { MemoryAdvice } from "../../engine/protocol.ts";

/** A form of a model with its plan. */
export interface JudgedForm {
  readonly form: CatalogueForm;
  readonly advice: MemoryAdvice;
}

export interface Proposal {
  readonly form: CatalogueForm;
  readonly contextTokens: number;
  /** Whether the machine has the memory for sure; browsers do not tell of all. */
  readonly isSure: boolean;
}

/** A thought of R1 is seldom longer. */
const ENOUGH_CONTEXT = 4096;
/** Forms whose weights differ by less are of the same size. */
const SAME_SIZE = 0.1;

/**
 * The largest quantization that fits with enough context, and the longest context that fits with it. Where nothing fits
 * for sure, the smallest that may.
 */
export function proposalFor(forms: readonly JudgedForm[]): Proposal | undefined {
  const largest = forms
    .filter(({ advice }) => advice.safeContext >= ENOUGH_CONTEXT)
    .toSorted(byPreference((a, b) => b - a))[0];
  if (largest) return { form: largest.form, contextTokens: largest.advice.safeContext, isSure: true };
  const smallest = forms.filter(({ advice }) => advice.longestContext > 0).toSorted(byPreference((a, b) => a - b))[0];
  if (!smallest) return undefined;
  const { longestContext } = smallest.advice;
  return { form: smallest.form, contextTokens: Math.min(longestContext, ENOUGH_CONTEXT), isSure: false };
}

/** By the weights' size, in steps; of the same size our own kernels first, then the smaller download. */
function byPreference(bySize: (a: number, b: number) => number) {
  const step = ({ advice }: JudgedForm): number =>
    Math.round(Math.log(advice.memory.weights) / Math.log(1 + SAME_SIZE));
  const runtime = ({ advice }: JudgedForm): number => (advice.runtime === "webgpu" ? 0 : 1);
  return (a: JudgedForm, b: JudgedForm): number =>
    runtime(a) - runtime(b) || bySize(step(a), step(b)) || a.form.downloadBytes - b.form.downloadBytes;
}
