import type { Checkpoint } from "../checkpoint.ts";
import type { ExportFile } from "./file.ts";
import { jsonFile, textFile } from "./file.ts";
import { FLOAT_BYTES, fromFloats, requireF16Range } from "../floats.ts";
import type { FloatDtype } from "../floats.ts";
import { elementCount, floatSlabs, nearestFloatType } from "./model.ts";
import type { ExportModel, ExportTensor } from "./model.ts";

export interface SafetensorsOptions {
  /** Type of all tensors; by default each keeps its own. */
  readonly dtype?: FloatDtype | undefined;
  /** Bytes of tensors in a file, of which each holds at least one; 5 GB, as transformers has it. */
  readonly maxShardBytes?: number | undefined;
}

const MAX_SHARD_BYTES = 5e9;
const TORCH_DTYPES = { F32: "float32", F16: "float16", BF16: "bfloat16" } as const satisfies Record<FloatDtype, string>;

export interface PlannedTensor extends ExportTensor {
  readonly dtype: FloatDtype;
  readonly bytes: number;
}

/**
 * A model in Hugging Face layout: `config.json`, `model.safetensors` or numbered shards with their index, and the
 * tokenizer's files.
 * @throws R1Error E_TENSOR_MISSING, E_DTYPE
 */
export function safetensorsFiles(
  model: ExportModel,
  { dtype, maxShardBytes = MAX_SHARD_BYTES }: SafetensorsOptions = {},
): ExportFile[] {
  const planned = model.tensors.map((tensor): PlannedTensor => {
    const type = dtype ?? nearestFloatType(model.checkpoint, tensor.name);
    return { ...tensor, dtype: type, bytes: elementCount(tensor.shape) * FLOAT_BYTES[type] };
  });
  const files = [jsonFile("config.json", configOf(model, dtype)), ...textFiles(model)];
  const shards = shardsOf(planned, maxShardBytes);
  if (shards.length === 1) return [...files, weightsFile("model.safetensors", model.checkpoint, planned)];
  const count = String(shards.length).padStart(5, "0");
  const named = shards.map((tensors, i) => ({
    path: `model-${String(i + 1).padStart(5, "0")}-of-${count}.safetensors`,
    tensors,
  }));
  const index = {
    metadata: { total_size: planned.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(named.flatMap(({ path, tensors }) => tensors.map(({ name }) => [name, path]))),
  };
  return [
    ...files,
    jsonFile("model.safetensors.index.json", index),
    ...named.map(({ path, tensors }) => weightsFile(path, model.checkpoint, tensors)),
  ];
}

/** The tokenizer's files and the generation settings as they were. */
export function textFiles({ texts }: Pick<ExportModel, "texts">): ExportFile[] {
  return Array.from(texts, ([path, text]) => textFile(path, text));
}

function configOf({ config }: ExportModel, dtype: FloatDtype | undefined): object {
  if (!dtype) return config;
  // Newer files have `dtype` in the place of `torch_dtype`.
  const field = "dtype" in config ? "dtype" : "torch_dtype";
  return { ...config, [field]: TORCH_DTYPES[dtype] };
}

function shardsOf(tensors: readonly PlannedTensor[], most: number): PlannedTensor[][] {
  const shards: PlannedTensor[][] = [];
  let room = 0;
  for (const tensor of tensors) {
    if (shards.length === 0 || tensor.bytes > room) {
      shards.push([]);
      room = most;
    }
    shards.at(-1)?.push(tensor);
    room -= tensor.bytes;
  }
  return shards;
}

/** A safetensors file of these tensors, in their order. */
export function weightsFile(path: string, checkpoint: Checkpoint, tensors: readonly PlannedTensor[]): ExportFile {
  const head = header(tensors);
  const bytes = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  return {
    path,
    size: head.length + bytes,
    async *chunks(signal) {
      yield head;
      for (const tensor of tensors) {
        for await (const slab of floatSlabs(checkpoint, tensor, 1, signal)) {
          if (tensor.dtype === "F16") requireF16Range(slab, tensor.name);
          yield fromFloats(slab, tensor.dtype);
        }
      }
    },
  };
}

/** The header after its length, padded to 8 bytes as the reference writer does. */
function header(tensors: readonly PlannedTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    end += bytes;
    return [name, { dtype, shape, data_offsets: [end - bytes, end] }];
  });
  const json = new TextEncoder().encode(
    JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(entries) }),
  );
  const file = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(file.buffer).setBigUint64(0, BigInt(file.length - 8), true);
  file.set(json, 8);
  return file;
}
