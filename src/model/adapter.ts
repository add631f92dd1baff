import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { dequantize, readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { ggmlBytes } from "../checkpoint/gguf/ggml-type.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import type { CheckpointTensor } from "../checkpoint/tensor.ts";
import { R1Error } from "../errors.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { GpuContext } from "../gpu/device.ts";
import { rowBytes } from "../kernels/weights/format.ts";
import { packWeights } from "../kernels/weights/pack.ts";
import { ConfigReader } from "./config-reader.ts";
import type { ModelAdapter } from "./session-adapter.ts";
import type { ModelSpec } from "./spec.ts";
import { adapterNames, adapterTargets, loraTargets } from "./training/lora.ts";
import type { LoraOptions } from "./training/lora.ts";

/** A LoRA adapter in host memory. */
export interface AdapterTensors {
  readonly lora: LoraOptions;
  /** A [r, k] and B [rows, r] by PEFT's names. */
  readonly tensors: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
}

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";
const MAX_RANK = 1024;

/**
 * Reads an adapter in PEFT's layout and holds it against the model that it is for.
 * @throws R1Error E_FILE_MISSING, E_CONFIG for settings that are not supported, E_TENSOR_MISSING, E_TENSOR_SHAPE
 */
export async function readAdapter(folder: ModelFolder, spec: ModelSpec, signal?: AbortSignal): Promise<AdapterTensors> {
  const json = await readJson(folder, CONFIG_FILE, undefined, signal);
  if (json === undefined) {
    throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${CONFIG_FILE}; expected a LoRA adapter`, {
      file: CONFIG_FILE,
    });
  }
  const config = new ConfigReader(json, CONFIG_FILE);
  if (config.boolean("use_rslora", false) || config.boolean("use_dora", false)) {
    throw config.error("use_rslora", "found a variant of LoRA; expected the plain one");
  }
  const modules = config.array("target_modules")?.filter((name): name is string => typeof name === "string") ?? [];
  const r = config.integer("r", 1, MAX_RANK);
  const lora = { r, lora_alpha: config.positive("lora_alpha"), target_modules: modules };
  const targets = adapterTargets(spec, lora);
  const checkpoint = await openCheckpoint(folder, { file: WEIGHTS_FILE, signal });
  const tensors = new Map<string, Float32Array<ArrayBuffer>>();
  const read = async (name: string, rows: number, k: number): Promise<void> => {
    const tensor = checkpoint.tensors.get(name);
    if (!tensor) throw new R1Error("E_TENSOR_MISSING", `${WEIGHTS_FILE}: tensor ${name} is missing`, { name });
    if (tensor.shape[0] !== rows || tensor.shape[1] !== k || tensor.shape.length !== 2) {
      throw new R1Error(
        "E_TENSOR_SHAPE",
        `${WEIGHTS_FILE}: tensor ${name} has shape [${tensor.shape.join(", ")}]; this model and r ${r} make it [${rows}, ${k}]`,
        { name },
      );
    }
    tensors.set(name, dequantize(readableDtypeOf(tensor), await checkpoint.read(name, undefined, undefined, signal)));
  };
  for (let layer = 0; layer < spec.layers; layer++) {
    for (const { path, k, rows } of targets) {
      const [a, b] = adapterNames(layer, path);
      await read(a, r, k);
      await read(b, rows, r);
    }
  }
  return { lora, tensors };
}

/** Puts an adapter onto the device, for sessions to run beside the model's weights. */
export function uploadAdapter(
  context: GpuContext,
  scope: BufferScope,
  spec: ModelSpec,
  { lora, tensors }: AdapterTensors,
): ModelAdapter {
  const buffers = new Map<string, GPUBuffer>();
  const upload = (name: string, rows: number, k: number): void => {
    const buffer = scope.create(name, rows * rowBytes("f32", k));
    context.write(buffer, packWeights("f32", tensors.get(name) ?? new Float32Array(rows * k), rows, k).data);
    buffers.set(name, buffer);
  };
  for (let layer = 0; layer < spec.layers; layer++) {
    for (const { path, k, rows } of adapterTargets(spec, lora)) {
      const [a, b] = adapterNames(layer, path);
      upload(a, lora.r, k);
      upload(b, rows, lora.r);
    }
  }
  return {
    lora,
    value: (name) => {
      const buffer = buffers.get(name);
      if (!buffer) throw new RangeError(`no tensor ${name} in the adapter`);
      return { buffer };
    },
  };
}

/** Where a tensor of the model takes part of the adapter in. */
interface Merge {
  readonly tensor: CheckpointTensor;
  readonly rows: number;
  readonly k: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/**
 * A model's folder with an adapter added in, W + (lora_alpha / r) · B · A, as its tensors are read. What is adapted is
 * F32 then, whatever it is stored as.
 * @param name the folder's
 * @throws R1Error what opening the model's weights throws
 */
export async function adaptedFolder(
  name: string,
  base: ModelFolder,
  spec: ModelSpec,
  adapter: AdapterTensors,
  signal?: AbortSignal,
): Promise<ModelFolder> {
  const checkpoint = await openCheckpoint(base, { signal });
  const { lora, tensors } = adapter;
  const merges = new Map<string, Merge>();
  const known = loraTargets(spec);
  for (let layer = 0; layer < spec.layers; layer++) {
    for (const module of lora.target_modules) {
      const target = known[module];
      if (!target) continue;
      const { path, rows, k } = target;
      const [aName, bName] = adapterNames(layer, path);
      const tensor = checkpoint.tensors.get(`model.layers.${layer}.${path}.weight`);
      const [a, b] = [tensors.get(aName), tensors.get(bName)];
      if (tensor && a && b) merges.set(tensor.name, { tensor, rows, k, a, b });
    }
  }
  return { ...base, name, open: (file, from) => base.open(file, from), checkpoint: merged(checkpoint, merges, lora) };
}

function merged(base: Checkpoint, merges: ReadonlyMap<string, Merge>, { r, lora_alpha }: LoraOptions): Checkpoint {
  const tensors = new Map(
    Array.from(base.tensors, ([name, tensor]): readonly [string, CheckpointTensor] => {
      const merge = merges.get(name);
      return [name, merge ? { ...tensor, dtype: "F32", bytes: merge.rows * merge.k * 4 } : tensor];
    }),
  );
  return {
    format: base.format,
    metadata: base.metadata,
    tensors,
    read: async (name, begin = 0, end, signal) => {
      const merge = merges.get(name);
      if (!merge) return base.read(name, begin, end, signal);
      const { tensor, rows, k, a, b } = merge;
      const stop = end ?? rows * k * 4;
      // Whole rows are read, and what was asked for is cut out of them.
      const [first, last] = [Math.floor(begin / (4 * k)), Math.ceil(stop / (4 * k))];
      const dtype = readableDtypeOf(tensor);
      const stored = ggmlBytes(dtype, k);
      const values = dequantize(dtype, await base.read(name, first * stored, last * stored, signal)).slice();
      addLowRank(values, a, b, { first, k, r, scale: lora_alpha / r });
      return new Uint8Array(values.buffer).slice(begin - first * k * 4, stop - first * k * 4);
    },
  };
}

/** values [rows, k] += scale · B · A, of rows from `first` on. */
function addLowRank(
  values: Float32Array,
  a: Float32Array,
  b: Float32Array,
  { first, k, r, scale }: { readonly first: number; readonly k: number; readonly r: number; readonly scale: number },
): void {
  const rows = values.length / k;
  const sums = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    sums.fill(0);
    for (let j = 0; j < r; j++) {
      const factor = scale * (b[(first + i) * r + j] ?? 0);
      if (factor === 0) continue;
      for (let c = 0; c < k; c++) sums[c] = (sums[c] ?? 0) + factor * (a[j * k + c] ?? 0);
    }
    for (let c = 0; c < k; c++) values[i * k + c] = (values[i * k + c] ?? 0) + (sums[c] ?? 0);
  }
}
