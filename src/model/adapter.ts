import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { requireFinite } from "../checkpoint/finite.ts";
import { dequantize, readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, parseAdapterConfig } from "../checkpoint/peft/config.ts";
import type { AdapterConfig } from "../checkpoint/peft/config.ts";
import { sortAdapterTensors } from "../checkpoint/peft/tensors.ts";
import type { AdapterPair, SortedTensors } from "../checkpoint/peft/tensors.ts";
import { quote } from "../checkpoint/quote.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { GpuContext } from "../gpu/device.ts";
import { rowBytes } from "../kernels/weights/format.ts";
import { packWeights } from "../kernels/weights/pack.ts";
import type { ModelAdapter } from "./session-adapter.ts";
import type { ModelSpec } from "./spec.ts";
import { allTensors, modelTensors } from "./tensor-names.ts";
import type { WantedTensor } from "./tensor-names.ts";
import { adapterNames, loraTargets } from "./training/lora.ts";
import type { AdaptedMatrix, AdapterLayout } from "./training/lora.ts";

/** scale · B · A, of which a matrix [rows, k] takes its part. */
export interface LowRank {
  readonly rows: number;
  readonly k: number;
  readonly rank: number;
  readonly scale: number;
  /** A [rank, k] and B [rows, rank]. */
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
}

/** A PEFT adapter, held against the model that it is for. */
export interface AdapterTensors {
  readonly layout: AdapterLayout;
  /** A [r, k] and B [rows, r] of the layout's matrices by its names, in host memory. */
  readonly tensors: ReadonlyMap<string, Float32Array<ArrayBuffer>>;
  /** Tensors that stand in the place of the model's (`modules_to_save`, `bias`), by the model's names. */
  readonly replaced: ReadonlyMap<string, { readonly checkpoint: Checkpoint; readonly tensor: CheckpointTensor }>;
  /** What is added to the embedding and to the output projection, by the model's names. */
  readonly tables: ReadonlyMap<string, LowRank>;
}

const EMBEDDING = "model.embed_tokens";
const HEAD = "lm_head";

/**
 * Reads an adapter in PEFT's layout and holds it against the model that it is for: every setting of its configuration is
 * followed or refused, and every tensor of its file is used.
 * @throws R1Error E_FILE_MISSING, E_FORMAT for what is no LoRA adapter, E_ADAPTER naming a setting that is not supported,
 *   E_TENSOR_MISSING, E_TENSOR_SHAPE, E_DTYPE, E_NOT_FINITE
 */
export async function readAdapter(folder: ModelFolder, spec: ModelSpec, signal?: AbortSignal): Promise<AdapterTensors> {
  const json = await readJson(folder, ADAPTER_CONFIG, undefined, signal);
  if (json === undefined) {
    throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${ADAPTER_CONFIG}; expected a LoRA adapter`, {
      file: ADAPTER_CONFIG,
    });
  }
  const config = parseAdapterConfig(json);
  checkModules(config, spec);
  const checkpoint = await openCheckpoint(folder, { file: ADAPTER_WEIGHTS, signal });
  const sorted = sortAdapterTensors(checkpoint, config);
  const layout = layoutOf(spec, config);
  const pairs = new Map(sorted.pairs);
  const tensors = new Map<string, Float32Array<ArrayBuffer>>();
  const read = async (tensor: CheckpointTensor, rows: number, k: number): Promise<Float32Array<ArrayBuffer>> => {
    checkShape(tensor, [rows, k]);
    const dtype = readableDtypeOf(tensor);
    const bytes = await checkpoint.read(tensor.name, undefined, undefined, signal);
    requireFinite(tensor, dtype, bytes);
    return dequantize(dtype, bytes);
  };
  for (const [layer, matrices] of layout.entries()) {
    for (const { path, rows, k, rank, a, b } of matrices) {
      const pair = takePair(pairs, `model.layers.${layer}.${path}`, false);
      tensors.set(a, await read(pair.a, rank, k));
      tensors.set(b, await read(pair.b, rows, rank));
    }
  }
  const tables = new Map<string, LowRank>();
  const { vocabSize: rows, hiddenSize: k } = spec;
  for (const module of [EMBEDDING, HEAD].filter(config.adapts)) {
    const [rank, scale] = [config.rankOf(module), config.scaleOf(module)];
    const isEmbedding = module === EMBEDDING;
    const pair = takePair(pairs, module, isEmbedding);
    // An embedding's factors are stored the other way round: what it adds is the transpose of B · A.
    const [a, b] = isEmbedding
      ? [transposed(await read(pair.b, k, rank), k, rank), transposed(await read(pair.a, rank, rows), rank, rows)]
      : [await read(pair.a, rank, k), await read(pair.b, rows, rank)];
    tables.set(`${module}.weight`, { rows, k, rank, scale, a, b });
  }
  const [left] = pairs.values();
  if (left) {
    throw new R1Error(
      "E_FORMAT",
      `${ADAPTER_WEIGHTS}: tensor ${quote(left.a.name)} is for a module that this model has not`,
      {
        tensor: left.a.name,
      },
    );
  }
  const replaced = checkReplaced(spec, config, sorted);
  return {
    layout,
    tensors,
    tables,
    replaced: new Map(Array.from(replaced, ([name, tensor]) => [name, { checkpoint, tensor }])),
  };
}

/** The layers' adapted matrices. */
function layoutOf(spec: ModelSpec, config: AdapterConfig): AdapterLayout {
  const targets = Object.values(loraTargets(spec));
  return Array.from({ length: spec.layers }, (_, layer) =>
    targets.flatMap((target): readonly AdaptedMatrix[] => {
      const module = `model.layers.${layer}.${target.path}`;
      if (!config.adapts(module)) return [];
      const [a, b] = adapterNames(layer, target.path);
      return [{ ...target, rank: config.rankOf(module), scale: config.scaleOf(module), a, b }];
    }),
  );
}

/** Every name that an adapter's configuration may mean without meaning a linear layer or the embedding. */
function otherModules({ layers }: ModelSpec): readonly string[] {
  const inLayer = ["", ".self_attn", ".mlp", ".mlp.act_fn", ".input_layernorm", ".post_attention_layernorm"];
  return [
    "model",
    "model.layers",
    "model.norm",
    "model.rotary_emb",
    ...Array.from({ length: layers }, (_, i) => inLayer.map((end) => `model.layers.${i}${end}`)).flat(),
  ];
}

/** @throws R1Error E_ADAPTER where what is to be adapted cannot be, or is nothing */
function checkModules(config: AdapterConfig, spec: ModelSpec): void {
  const error = (complaint: string): R1Error =>
    new R1Error("E_ADAPTER", `${ADAPTER_CONFIG}: target_modules: ${complaint}`, { field: "target_modules" });
  const other = otherModules(spec).find(config.adapts);
  if (other !== undefined) throw error(`found ${other}; supported are linear layers and the embedding`);
  const paths = Object.values(loraTargets(spec)).map(({ path }) => path);
  const linear = Array.from({ length: spec.layers }, (_, i) => paths.map((path) => `model.layers.${i}.${path}`));
  if ([...linear.flat(), EMBEDDING, HEAD].some(config.adapts)) return;
  const names = Object.keys(loraTargets(spec)).join(", ");
  throw error(`no module of this model is meant; it has ${names} in ${spec.layers} layers`);
}

/** @throws R1Error E_TENSOR_MISSING, E_FORMAT for an embedding's factors of a linear layer, or the other way round */
function takePair(pairs: Map<string, AdapterPair>, module: string, isEmbedding: boolean): AdapterPair {
  const pair = pairs.get(module);
  const name = `base_model.model.${module}.${isEmbedding ? "lora_embedding_A" : "lora_A.weight"}`;
  if (!pair || pair.isEmbedding !== isEmbedding) {
    throw new R1Error(
      "E_TENSOR_MISSING",
      `${ADAPTER_WEIGHTS}: tensor ${name} is missing; ${ADAPTER_CONFIG} asks for it`,
      {
        name,
      },
    );
  }
  pairs.delete(module);
  return pair;
}

/** @throws R1Error E_TENSOR_MISSING, E_TENSOR_SHAPE, E_FORMAT */
function checkReplaced(
  spec: ModelSpec,
  config: AdapterConfig,
  { replaced }: SortedTensors,
): ReadonlyMap<string, CheckpointTensor> {
  const known = new Map<string, WantedTensor>(
    allTensors(modelTensors({ ...spec, tiedEmbeddings: false })).map((tensor) => [tensor.name, tensor]),
  );
  for (const [name, tensor] of replaced) {
    const wanted = known.get(name);
    if (!wanted) {
      throw new R1Error("E_FORMAT", `${ADAPTER_WEIGHTS}: tensor ${quote(tensor.name)} is none of this model's`, {
        tensor: tensor.name,
      });
    }
    checkShape(tensor, wanted.shape);
    readableDtypeOf(tensor);
  }
  for (const name of known.keys()) {
    const module = name.replace(/\.(?:weight|bias)$/, "");
    const isBias = name.endsWith(".bias");
    const trained = isBias && (config.bias === "all" || (config.bias === "lora_only" && config.adapts(module)));
    if ((!trained && !config.replaces(module)) || replaced.has(name)) continue;
    const why = config.replaces(module) ? "modules_to_save" : `bias ${config.bias}`;
    throw new R1Error("E_TENSOR_MISSING", `${ADAPTER_WEIGHTS}: tensor ${name} is missing; ${why} asks for it`, {
      name,
    });
  }
  const meant = (name: string): boolean => [...known.keys()].some((tensor) => `.${tensor}`.includes(`${name}.`));
  const unknown = config.modulesToSave.find((name) => !meant(name));
  if (unknown === undefined) return replaced;
  throw new R1Error(
    "E_ADAPTER",
    `${ADAPTER_CONFIG}: modules_to_save: found ${quote(unknown)}; this model has no such module`,
    { field: "modules_to_save" },
  );
}

/** @throws R1Error E_TENSOR_SHAPE */
function checkShape({ name, shape }: CheckpointTensor, wanted: readonly number[]): void {
  if (shape.length === wanted.length && wanted.every((size, i) => shape[i] === size)) return;
  throw new R1Error(
    "E_TENSOR_SHAPE",
    `${ADAPTER_WEIGHTS}: tensor ${name} has shape [${shape.join(", ")}]; this model and the adapter's rank make it [${wanted.join(", ")}]`,
    { name },
  );
}

function transposed(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = values[i * columns + j] ?? 0;
  return out;
}

/** Puts an adapter's matrices onto the device, for sessions to run beside the model's weights. */
export function uploadAdapter(
  context: GpuContext,
  scope: BufferScope,
  { layout, tensors }: Pick<AdapterTensors, "layout" | "tensors">,
): ModelAdapter {
  const buffers = new Map<string, GPUBuffer>();
  const upload = (name: string, rows: number, k: number): void => {
    const buffer = scope.create(name, rows * rowBytes("f32", k));
    context.write(buffer, packWeights("f32", tensors.get(name) ?? new Float32Array(rows * k), rows, k).data);
    buffers.set(name, buffer);
  };
  for (const { a, b, rows, k, rank } of layout.flat()) {
    upload(a, rank, k);
    upload(b, rows, rank);
  }
  return {
    layout,
    value: (name) => {
      const buffer = buffers.get(name);
      if (!buffer) throw new RangeError(`no tensor ${name} in the adapter`);
      return { buffer };
    },
  };
}
