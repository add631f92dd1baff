import { R1Error } from "../errors.ts";
import { quote } from "./quote.ts";
import { openSafetensors } from "./safetensors/file.ts";
import type { SafetensorsFile } from "./safetensors/file.ts";
import { emptyMetadata } from "./safetensors/header.ts";
import { parseShardIndex } from "./safetensors/shard-index.ts";
import type { PlacedTensor } from "./safetensors/tensor.ts";
import { readText } from "./source.ts";
import type { ModelFolder } from "./source.ts";
import type { CheckpointTensor } from "./tensor.ts";

export type { TensorDtype } from "./safetensors/dtype.ts";
export type { CheckpointTensor } from "./tensor.ts";

/** A model's tensors, in one file or many. */
export interface Checkpoint {
  readonly format: "safetensors" | "gguf";
  /** `__metadata__` of the file, or GGUF's, as text; of shards, all of theirs. */
  readonly metadata: Readonly<Record<string, string>>;
  /**
   * By name (a base model's with `model.` before it), in the order of their data: reading them in this order reads files
   * from beginning to end.
   */
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  /**
   * Bytes [begin, end) of a tensor's data (by default all of it), in a buffer of their own that begins with them.
   * A caller streams a big tensor in slabs.
   * @throws R1Error E_TENSOR_MISSING, E_TENSOR_OFFSETS (a range outside the tensor), and what `ByteSource.read` throws
   */
  read(name: string, begin?: number, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export interface OpenCheckpointOptions {
  /** A safetensors file or an index of shards (`….index.json`) instead of the usual names. */
  readonly file?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const SINGLE_FILE = "model.safetensors";
const INDEX_FILE = "model.safetensors.index.json";
/** Shards whose headers are read at the same time. */
const SHARDS_AT_ONCE = 4;

/**
 * Opens `file` if given, else the checkpoint that the folder brings along, else model.safetensors, else model.safetensors.index.json with its shards. Headers are read
 * and checked, data is not.
 * @throws R1Error E_FILE_MISSING naming what was looked for, E_TENSOR_MISSING for a tensor that is not in the shard
 * which the index names, E_TENSOR_INFO for a tensor that is there with and without `model.`, and what `openSafetensors` and `parseShardIndex` throw
 */
export async function openCheckpoint(folder: ModelFolder, options: OpenCheckpointOptions = {}): Promise<Checkpoint> {
  const { file, signal } = options;
  if (file !== undefined) {
    const found = file.endsWith(".index.json")
      ? await openIndex(folder, file, signal)
      : await openFile(folder, file, signal);
    return found ?? missing(folder, `no ${quote(file)}`);
  }
  if (folder.checkpoint) return folder.checkpoint;
  return (
    (await openFile(folder, SINGLE_FILE, signal)) ??
    (await openIndex(folder, INDEX_FILE, signal)) ??
    missing(folder, `neither ${SINGLE_FILE} nor ${INDEX_FILE}`)
  );
}

async function openFile(folder: ModelFolder, file: string, signal?: AbortSignal): Promise<Checkpoint | undefined> {
  const source = await folder.open(file, signal);
  if (!source) return undefined;
  const opened = await openSafetensors(source, signal);
  return new SafetensorsCheckpoint(
    opened.tensors.map((tensor) => ({ tensor, file: opened })),
    opened.metadata,
  );
}

async function openIndex(folder: ModelFolder, file: string, signal?: AbortSignal): Promise<Checkpoint | undefined> {
  const text = await readText(folder, file, undefined, signal);
  if (text === undefined) return undefined;
  const shardOf = parseShardIndex(text, file);
  const names = [...new Set(shardOf.values())].toSorted();
  const shards: Shard[] = [];
  for (let i = 0; i < names.length; i += SHARDS_AT_ONCE) {
    const some = names.slice(i, i + SHARDS_AT_ONCE).map((name) => openShard(folder, name, file, signal));
    shards.push(...(await Promise.all(some)));
  }
  // The index is the table of contents: a tensor that it does not list, or lists in another shard, is left out, as loaders
  // that ask for tensors by name do. So a stray or repeated tensor cannot change the model, and a needed one is missed.
  const located = shards.flatMap((shard) =>
    shard.file.tensors
      .filter((tensor) => shardOf.get(tensor.name) === shard.name)
      .map((tensor) => ({ tensor, file: shard.file })),
  );
  const held = new Set(located.map(({ tensor }) => tensor.name));
  for (const [name, shard] of shardOf) {
    if (!held.has(name)) {
      throw new R1Error("E_TENSOR_MISSING", `${shard}: tensor ${quote(name)} is not there; ${file} says that it is`, {
        file: shard,
        tensor: name,
      });
    }
  }
  return new SafetensorsCheckpoint(located, mergedMetadata(shards));
}

interface Shard {
  readonly name: string;
  readonly file: SafetensorsFile;
}

async function openShard(
  folder: ModelFolder,
  name: string,
  index: string,
  signal: AbortSignal | undefined,
): Promise<Shard> {
  const source = await folder.open(name, signal);
  if (!source) missing(folder, `no ${quote(name)}, which ${index} names`);
  return { name, file: await openSafetensors(source, signal) };
}

/** Where shards disagree, the first one's word. */
function mergedMetadata(shards: readonly Shard[]): Record<string, string> {
  const merged = emptyMetadata();
  for (const { file } of shards) {
    for (const [key, value] of Object.entries(file.metadata)) merged[key] ??= value;
  }
  return merged;
}

function missing(folder: ModelFolder, what: string): never {
  throw new R1Error("E_FILE_MISSING", `${folder.name}: ${what}`, { folder: folder.name });
}

/** @throws R1Error E_TENSOR_OFFSETS for bytes [begin, end) outside the tensor */
export function checkTensorRange(
  file: string,
  { name, bytes }: Pick<CheckpointTensor, "name" | "bytes">,
  begin: number,
  end: number,
): void {
  if (Number.isInteger(begin) && Number.isInteger(end) && begin >= 0 && begin <= end && end <= bytes) return;
  throw new R1Error(
    "E_TENSOR_OFFSETS",
    `${file}: bytes [${begin}, ${end}) of tensor ${quote(name)} were asked for; it has ${bytes} bytes`,
    { file, tensor: name },
  );
}

interface LocatedTensor {
  readonly tensor: PlacedTensor;
  readonly file: SafetensorsFile;
}

/** What a base model's own checkpoint has without the prefix that the model with its output projection gives it. */
const WITHOUT_PREFIX = /^(?:embed_tokens|norm|layers\.\d+)\./;

/**
 * Tensors by the names of a model for text: those of a base model's checkpoint (`layers.0.…`, as `Qwen2Model` saves them)
 * get `model.` before them, name by name as transformers has it; `lm_head.weight` may lie beside either.
 * @throws R1Error E_TENSOR_INFO for a tensor that is there under both names
 */
function byModelName(located: readonly LocatedTensor[]): ReadonlyMap<string, LocatedTensor> {
  const named = new Map<string, LocatedTensor>();
  for (const one of located) {
    const { name } = one.tensor;
    const modelName = WITHOUT_PREFIX.test(name) ? `model.${name}` : name;
    const other = named.get(modelName);
    if (other) {
      throw new R1Error(
        "E_TENSOR_INFO",
        `${one.file.source.name}: tensors ${quote(other.tensor.name)} and ${quote(name)} are one and the same of the model; expected one of them`,
        { file: one.file.source.name, tensor: name },
      );
    }
    named.set(modelName, one);
  }
  return named;
}

class SafetensorsCheckpoint implements Checkpoint {
  readonly format = "safetensors";
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly #located: ReadonlyMap<string, LocatedTensor>;

  constructor(located: readonly LocatedTensor[], metadata: Readonly<Record<string, string>>) {
    this.metadata = metadata;
    this.#located = byModelName(located);
    this.tensors = new Map(
      Array.from(this.#located, ([name, { tensor }]) => {
        const { dtype, shape, begin, end } = tensor;
        return [name, { name, dtype, shape, bytes: end - begin }];
      }),
    );
  }

  async read(name: string, begin = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const found = this.#located.get(name);
    if (!found)
      throw new R1Error("E_TENSOR_MISSING", `tensor ${quote(name)} is not in the checkpoint`, { tensor: name });
    const { tensor, file } = found;
    const bytes = tensor.end - tensor.begin;
    const stop = end ?? bytes;
    checkTensorRange(file.source.name, { name, bytes }, begin, stop);
    return file.source.read(file.dataStart + tensor.begin + begin, stop - begin, signal);
  }
}
