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

/** A piece of the pool, and which of the model's buffers it is. */
interface WeightPiece {
  readonly entry: Omit<ParameterEntry, "weights">;
  readonly of: (weights: ModelWeights) => WeightMatrix | GPUBuffer | undefined;
}

/** How a model's trainable f32 weights lie in a pool; what they take is known before they are loaded. */
export function weightEntries(spec: ModelSpec): readonly Omit<ParameterEntry, "weights">[] {
  return weightPieces(spec).map(({ entry }) => entry);
}

/**
 * Pool entries for full fine-tuning: every tensor of a model, laid out as the model's own weight buffers are.
 * @throws R1Error E_CONFIG for weights that are not f32, E_LIMIT for those that are split into several buffers
 */
export function weightParameters(spec: ModelSpec, weights: ModelWeights): readonly ParameterEntry[] {
  return weightPieces(spec).map(({ entry, of }) => {
    const found = of(weights);
    if (!found) throw new RangeError(`no weights for ${entry.name}`);
    return { ...entry, weights: "chunks" in found ? wholeMatrix(entry.name, found) : found };
  });
}

function weightPieces(spec: ModelSpec): readonly WeightPiece[] {
  const tensors = modelTensors(spec);
  const layers = tensors.layers.flatMap((names, i): WeightPiece[] => [
    { entry: matrixEntry(`layer${i}.qkv`, names.qkv), of: ({ layers: own }) => own[i]?.qkv },
    {
      entry: vectorEntry(`layer${i}.attention_aux`, [names.inputNorm, ...names.qkvBias]),
      of: ({ layers: own }) => own[i]?.attentionAux,
    },
    { entry: matrixEntry(`layer${i}.output`, [names.output]), of: ({ layers: own }) => own[i]?.output },
    { entry: matrixEntry(`layer${i}.gate_up`, names.gateUp), of: ({ layers: own }) => own[i]?.gateUp },
    { entry: vectorEntry(`layer${i}.mlp_norm`, [names.postNorm]), of: ({ layers: own }) => own[i]?.mlpNorm },
    { entry: matrixEntry(`layer${i}.down`, [names.down]), of: ({ layers: own }) => own[i]?.down },
  ]);
  return [
    { entry: matrixEntry("embedding", [tensors.embedding]), of: ({ embedding }) => embedding },
    ...layers,
    { entry: vectorEntry("final_norm", [tensors.finalNorm]), of: ({ finalNorm }) => finalNorm },
    ...(tensors.head ? [{ entry: matrixEntry("head", [tensors.head]), of: ({ head }: ModelWeights) => head }] : []),
  ];
}

function wholeMatrix(name: string, matrix: WeightMatrix): GPUBuffer {
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
  return chunk.data;
}

function matrixEntry(name: string, parts: readonly WantedTensor[]): Omit<ParameterEntry, "weights"> {
  const k = parts[0]?.shape[1] ?? 0;
  const ld = paddedK("f32", k);
  const tensors: ParameterTensor[] = [];
  let row = 0;
  for (const { name: tensor, shape } of parts) {
    const rows = shape[0] ?? 0;
    tensors.push({ name: tensor, shape, at: row * ld, rows, k, ld });
    row += rows;
  }
  return { name: chunkName(name, 0), bytes: row * ld * 4, tensors };
}

/** As `loadWeights` lays vectors out: the first padded as activations are, the others following each other. */
function vectorEntry(name: string, parts: readonly WantedTensor[]): Omit<ParameterEntry, "weights"> {
  const tensors: ParameterTensor[] = [];
  let at = 0;
  for (const [i, { name: tensor, shape }] of parts.entries()) {
    const k = shape[0] ?? 0;
    tensors.push({ name: tensor, shape, at, rows: 1, k, ld: k });
    at += i === 0 ? roundUp(k, ACTIVATION_PAD) : k;
  }
  return { name, bytes: roundUp(at, 4) * 4, tensors };
}
