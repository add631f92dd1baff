import { MAX_ALTERNATIVES } from "../kernels/sample/top-alternatives.ts";
import type { Alternative } from "../kernels/sample/top-alternatives.ts";
import { logSumExp, sampleReference } from "../kernels/sample/reference.ts";
import { NO_TARGET } from "../kernels/sample/row.ts";
import { f16BitsToF32 } from "../kernels/weights/half.ts";
import type { StepResult, StepRow } from "../model/language-model.ts";
import type { OrtSequence } from "./sequence.ts";

/** Chooses a row's next token, as the GPU's sampler does. @param logits [vocab] f32 */
export function sampleRow(
  logits: Float32Array,
  { sequence, target, sampling }: StepRow<OrtSequence>,
  position: number,
  alternatives: boolean,
): StepResult {
  const row = { ...sampling, position, slot: 0, target: target ?? NO_TARGET, record: target === undefined };
  const { token, logprob, entropy, argmax, brokenLogits, nothingAllowed } = sampleReference(logits, row, sequence.seen);
  if (sampling.repetitionPenalty !== 1 && target === undefined) sequence.seen.add(token);
  const result = { token, logprob, entropy, argmax, brokenLogits, nothingAllowed };
  return alternatives ? { ...result, alternatives: mostProbable(logits) } : result;
}

/** The most probable ids, the lowest first on ties. */
function mostProbable(logits: Float32Array): Alternative[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id] ?? 0;
    const last = best.at(-1);
    if (best.length === MAX_ALTERNATIVES && last !== undefined && !(logit > (logits[last] ?? 0))) continue;
    let at = best.length;
    while (at > 0 && logit > (logits[best[at - 1] ?? 0] ?? 0)) at--;
    best.splice(at, 0, id);
    if (best.length > MAX_ALTERNATIVES) best.pop();
  }
  const normalizer = logSumExp(Float64Array.from(logits));
  return best.map((id) => ({ id, logprob: (logits[id] ?? 0) - normalizer }));
}

/** Logits as f32, whatever the graph gives. */
export function asFloats(data: unknown): Float32Array {
  if (data instanceof Float32Array) return data;
  if (!ArrayBuffer.isView(data)) return new Float32Array();
  return Float32Array.from(new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2), f16BitsToF32);
}
