import { R1Error } from "../../errors.ts";
import { ACTIVATION_PAD, paddedK, roundUp } from "../../kernels/weights/format.ts";
import { formatsOf } from "../../kernels/weights/matrix.ts";
import type { WeightMatrix } from "../../kernels/weights/matrix.ts";
import type { ModelSpec } from "../spec.ts";
import { modelTensors } from "../tensor-names.ts";
import type { WantedTensor } from "../tensor-names.ts";
import type { ModelWeights } from "../weights.ts";
import type { ParameterEntry, ParameterTensor } from "./parameters.ts";

/** Name of a matrix's chunk in the pool. */
export function chunkName(matrix: string, start: number): string {
  return `${matrix}[${start}]`;
}

/**
 * Pool entries for full fine-tuning: every tensor of a model, laid out as the model's own weight buffers are.
 * @throws R1Error E_CONFIG for weights that are not f32, or split into several buffers
 */
export function weightParameters(spec: ModelSpec, weights: ModelWeights): readonly ParameterEntry[] {
  const tensors = modelTensors(spec);
  const entries: ParameterEntry[] = [matrixEntry("embedding", weights.embedding, [tensors.embedding])];
  weights.layers.forEach((layer, i) => {
    const names = tensors.layers[i];
    if (!names) throw new RangeError(`no layer ${i}`);
    entries.push(
      matrixEntry(`layer${i}.qkv`, layer.qkv, names.qkv),
      vectorEntry(`layer${i}.attention_aux`, layer.attentionAux, [names.inputNorm, ...names.qkvBias]),
      matrixEntry(`layer${i}.output`, layer.output, [names.output]),
      matrixEntry(`layer${i}.gate_up`, layer.gateUp, names.gateUp),
      vectorEntry(`layer${i}.mlp_norm`, layer.mlpNorm, [names.postNorm]),
      matrixEntry(`layer${i}.down`, layer.down, [names.down]),
    );
  });
  entries.push(vectorEntry("final_norm", weights.finalNorm, [tensors.finalNorm]));
  if (tensors.head) entries.push(matrixEntry("head", weights.head, [tensors.head]));
  return entries;
}

function matrixEntry(name: string, matrix: WeightMatrix, parts: readonly WantedTensor[]): ParameterEntry {
  const [chunk, second] = matrix.chunks;
  const formats = formatsOf(matrix);
  if (formats.some((format) => format !== "f32")) {
    throw new R1Error(
      "E_CONFIG",
      `${name} is held as ${formats.join(" and ")}; full fine-tuning needs f32 weights. Load the model as f32, or train LoRA adapters`,
    );
  }
  if (!chunk || second) {
    throw new R1Error("E_LIMIT", `${name} is too large for one binding of this device; train LoRA adapters instead`);
  }
  const ld = paddedK("f32", matrix.k);
  const tensors: ParameterTensor[] = [];
  let row = 0;
  for (const { name: tensor, shape } of parts) {
    const rows = shape[0] ?? 0;
    tensors.push({ name: tensor, shape, at: row * ld, rows, k: matrix.k, ld });
    row += rows;
  }
  return { name: chunkName(name, 0), bytes: row * ld * 4, tensors, weights: chunk.data };
}

/** As `loadWeights` lays vectors out: the first padded as activations are, the others following each other. */
function vectorEntry(name: string, buffer: GPUBuffer, parts: readonly WantedTensor[]): ParameterEntry {
  const tensors: ParameterTensor[] = [];
  let at = 0;
  for (const [i, { name: tensor, shape }] of parts.entries()) {
    const k = shape[0] ?? 0;
    tensors.push({ name: tensor, shape, at, rows: 1, k, ld: k });
    at += i === 0 ? roundUp(k, ACTIVATION_PAD) : k;
  }
  return { name, bytes: roundUp(at, 4) * 4, tensors, weights: buffer };
}
