import { readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { CheckpointTensor } from "../checkpoint/tensor.ts";
import { R1Error } from "../errors.ts";
import type { MatrixFormat, WeightFormat } from "../kernels/weights/format.ts";
import type { RowRun } from "../kernels/weights/matrix.ts";
import { rowFormats, stackedFormat } from "./device-format.ts";
import type { TensorFormat } from "./device-format.ts";
import { parameterCount } from "./spec.ts";
import type { ModelSpec } from "./spec.ts";
import { modelTensors } from "./tensor-names.ts";
import type { LayerTensors, WantedTensor } from "./tensor-names.ts";

/** Rows of a matrix as a tensor of the checkpoint brings them. */
export interface TensorRows extends TensorFormat {
  readonly rows: number;
}

/** A layer's matrices by their parts: q, k, v below each other; gate and up, being stacked, have one entry for both. */
export interface LayerFormats {
  readonly qkv: readonly TensorRows[];
  readonly output: readonly TensorRows[];
  readonly gateUp: readonly TensorRows[];
  readonly down: readonly TensorRows[];
}

/** How each matrix of a model lies on the device. */
export interface ModelFormats {
  readonly embedding: readonly TensorRows[];
  readonly layers: readonly LayerFormats[];
  /** Undefined where the output projection is the embedding. */
  readonly head: readonly TensorRows[] | undefined;
}

/**
 * What the loader makes of a checkpoint's tensors, whose headers are enough.
 * @param asked left out, matrices stay as they are in the file
 * @throws R1Error E_TENSOR_MISSING, E_DTYPE
 */
export function modelFormats(
  spec: ModelSpec,
  tensors: ReadonlyMap<string, CheckpointTensor>,
  asked?: WeightFormat,
): ModelFormats {
  const choice = { parameters: parameterCount(spec), asked };
  const dtype = ({ name }: WantedTensor): ReadableDtype => {
    const tensor = tensors.get(name);
    if (!tensor) throw new R1Error("E_TENSOR_MISSING", `tensor ${name} is missing`, { name });
    return readableDtypeOf(tensor);
  };
  const below = (parts: readonly WantedTensor[]): readonly TensorRows[] => {
    const formats = rowFormats(parts.map(dtype), choice);
    return formats.map((format, i) => ({ ...format, rows: parts[i]?.shape[0] ?? 0 }));
  };
  const stacked = (parts: readonly WantedTensor[]): readonly TensorRows[] => [
    { ...stackedFormat(parts.map(dtype), choice), rows: parts[0]?.shape[0] ?? 0 },
  ];
  const { embedding, layers, head } = modelTensors(spec);
  return {
    embedding: below([embedding]),
    layers: layers.map((layer) => layerFormats(layer, below, stacked)),
    head: head && below([head]),
  };
}

/** All matrices converted to one format, or as a file has them. */
export type WeightChoice = WeightFormat | ModelFormats;

export function formatsFor(spec: ModelSpec, choice: WeightChoice): ModelFormats {
  return typeof choice === "string" ? uniformFormats(spec, choice) : choice;
}

/** A model all of whose matrices are in one format. */
export function uniformFormats(spec: ModelSpec, format: MatrixFormat): ModelFormats {
  const rows = (parts: readonly WantedTensor[], most = parts.length): readonly TensorRows[] =>
    parts.slice(0, most).map(({ shape }) => ({ format, kept: false, rows: shape[0] ?? 0 }));
  const { embedding, layers, head } = modelTensors(spec);
  const [first] = layers;
  // One object for all layers, so that whoever adds them up need look at one.
  const layer = first && layerFormats(first, rows, (parts) => rows(parts, 1));
  return { embedding: rows([embedding]), layers: layer ? layers.map(() => layer) : [], head: head && rows([head]) };
}

type FormatsOf = (parts: readonly WantedTensor[]) => readonly TensorRows[];

function layerFormats({ qkv, output, gateUp, down }: LayerTensors, below: FormatsOf, stacked: FormatsOf): LayerFormats {
  return { qkv: below(qkv), output: below([output]), gateUp: stacked(gateUp), down: below([down]) };
}

/** The chunks' formats: neighbours of one format are one run, unless the rows of one are kept and the other's quantized here. */
export function runsOf(parts: readonly TensorRows[]): readonly RowRun[] {
  const runs: TensorRows[] = [];
  for (const part of parts) {
    const last = runs.at(-1);
    if (last && last.format === part.format && last.kept === part.kept) {
      runs[runs.length - 1] = { ...last, rows: last.rows + part.rows };
    } else runs.push(part);
  }
  return runs;
}
