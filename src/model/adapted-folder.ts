import { openCheckpoint } from "../checkpoint/checkpoint.ts";
import type { Checkpoint, CheckpointTensor } from "../checkpoint/checkpoint.ts";
import { dequantize, readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { ggmlBytes } from "../checkpoint/gguf/ggml-type.ts";
import { checkRange, readJson } from "../checkpoint/source.ts";
import type { ByteSource, ModelFolder } from "../checkpoint/source.ts";
import type { AdapterTensors, LowRank } from "./adapter.ts";
import type { ModelSpec } from "./spec.ts";

/** Where a tensor of an adapted model comes from, and what is added to it. */
interface Part {
  readonly from: Checkpoint;
  readonly tensor: CheckpointTensor;
  readonly added?: LowRank;
}

const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";

/**
 * A model's folder with an adapter added in, W + scale · B · A, as its tensors are read. What is adapted is F32 then,
 * whatever it is stored as; what the adapter replaces is as the adapter has it.
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
  const { folder, checkpoint } = await replaced(name, base, spec, adapter, signal);
  const parts = new Map<string, Part>();
  for (const [layer, matrices] of adapter.layout.entries()) {
    for (const { path, rows, k, rank, scale, a, b } of matrices) {
      const tensor = checkpoint.tensors.get(`model.layers.${layer}.${path}.weight`);
      const [valuesA, valuesB] = [adapter.tensors.get(a), adapter.tensors.get(b)];
      if (!tensor || !valuesA || !valuesB) continue;
      parts.set(tensor.name, { from: checkpoint, tensor, added: { rows, k, rank, scale, a: valuesA, b: valuesB } });
    }
  }
  return { ...folder, checkpoint: withParts(checkpoint, parts) };
}

/**
 * A model's folder with that of an adapter which does not run beside the weights of its layers: the tensors that stand in the
 * place of the model's, and what is added to the embedding and the output projection. Where these are no longer one and
 * the same, `config.json` says so.
 * @throws R1Error what opening the model's weights throws
 */
export async function replacedFolder(
  base: ModelFolder,
  spec: ModelSpec,
  adapter: AdapterTensors,
  signal?: AbortSignal,
): Promise<ModelFolder> {
  return (await replaced(base.name, base, spec, adapter, signal)).folder;
}

async function replaced(
  name: string,
  base: ModelFolder,
  spec: ModelSpec,
  adapter: AdapterTensors,
  signal: AbortSignal | undefined,
): Promise<{ readonly folder: ModelFolder; readonly checkpoint: Checkpoint }> {
  const original = await openCheckpoint(base, { signal });
  const same = { ...base, name, open: (file: string, from?: AbortSignal) => base.open(file, from) };
  if (adapter.replaced.size === 0 && adapter.tables.size === 0) {
    return { folder: { ...same, checkpoint: original }, checkpoint: original };
  }
  const partOf = (tensorName: string, stored = tensorName): Part | undefined => {
    const own = adapter.replaced.get(tensorName);
    const tensor = own?.tensor ?? original.tensors.get(stored);
    const added = adapter.tables.get(tensorName);
    return tensor && { from: own?.checkpoint ?? original, tensor, ...(added ? { added } : {}) };
  };
  const parts = new Map<string, Part>();
  for (const tensorName of [...adapter.replaced.keys(), ...adapter.tables.keys()]) {
    const part = partOf(tensorName);
    if (part) parts.set(tensorName, part);
  }
  // What the embedding and the head share until one of them changes; an untied head is the file's own.
  const [embedding, head] = [partOf(EMBEDDING), partOf(HEAD, spec.tiedEmbeddings ? EMBEDDING : HEAD)];
  const unties = spec.tiedEmbeddings && embedding && head && !(await isSame(embedding, head, signal));
  if (unties) parts.set(HEAD, head);
  else if (spec.tiedEmbeddings) parts.delete(HEAD);
  // A tied model's file may hold a copy, which would no longer be one.
  const isCopied = spec.tiedEmbeddings && !unties;
  const checkpoint = withParts(original, parts, isCopied ? HEAD : undefined);
  if (!unties) return { folder: { ...same, checkpoint }, checkpoint };
  const config = Object.entries((await readJson(base, "config.json", undefined, signal)) ?? {});
  const untied = textSource(
    "config.json",
    JSON.stringify({ ...Object.fromEntries(config), tie_word_embeddings: false }),
  );
  const open: ModelFolder["open"] = (file, from) =>
    file === "config.json" ? Promise.resolve(untied) : base.open(file, from);
  return { folder: { ...same, open, checkpoint }, checkpoint };
}

/** Bytes of two tensors that are compared at a time. */
const COMPARED_BYTES = 4 << 20;

async function isSame(one: Part, other: Part, signal: AbortSignal | undefined): Promise<boolean> {
  if (one.added || other.added) return false;
  const [a, b] = [one.tensor, other.tensor];
  if (one.from === other.from && a.name === b.name) return true;
  if (a.dtype !== b.dtype || a.bytes !== b.bytes) return false;
  for (let at = 0; at < a.bytes; at += COMPARED_BYTES) {
    const to = Math.min(a.bytes, at + COMPARED_BYTES);
    const [left, right] = await Promise.all([
      one.from.read(a.name, at, to, signal),
      other.from.read(b.name, at, to, signal),
    ]);
    if (left.some((byte, i) => byte !== right[i])) return false;
  }
  return true;
}

/** @param without a tensor that is left out */
function withParts(base: Checkpoint, parts: ReadonlyMap<string, Part>, without?: string): Checkpoint {
  const tensors = new Map(base.tensors);
  if (without !== undefined) tensors.delete(without);
  for (const [name, { tensor, added }] of parts) {
    const { dtype, shape, bytes } = tensor;
    tensors.set(
      name,
      added ? { name, shape, dtype: "F32", bytes: added.rows * added.k * 4 } : { name, shape, dtype, bytes },
    );
  }
  return {
    format: base.format,
    metadata: base.metadata,
    tensors,
    read: (name, begin = 0, end, signal) => {
      const part = parts.get(name);
      if (!part) return base.read(name, begin, end, signal);
      const { from, tensor, added } = part;
      return added ? readAdded(from, tensor, added, begin, end, signal) : from.read(tensor.name, begin, end, signal);
    },
  };
}

async function readAdded(
  from: Checkpoint,
  tensor: CheckpointTensor,
  added: LowRank,
  begin: number,
  end: number | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array<ArrayBuffer>> {
  const { rows, k } = added;
  const stop = end ?? rows * k * 4;
  // Whole rows are read, and what was asked for is cut out of them.
  const [first, last] = [Math.floor(begin / (4 * k)), Math.ceil(stop / (4 * k))];
  const dtype = readableDtypeOf(tensor);
  const stored = ggmlBytes(dtype, k);
  const values = dequantize(dtype, await from.read(tensor.name, first * stored, last * stored, signal)).slice();
  addLowRank(values, added, first);
  return new Uint8Array(values.buffer).slice(begin - first * k * 4, stop - first * k * 4);
}

/** values [rows, k] += scale · B · A, of rows from `first` on. */
function addLowRank(values: Float32Array, { k, rank, scale, a, b }: LowRank, first: number): void {
  const rows = values.length / k;
  const sums = new Float64Array(k);
  for (let i = 0; i < rows; i++) {
    sums.fill(0);
    for (let j = 0; j < rank; j++) {
      const factor = scale * (b[(first + i) * rank + j] ?? 0);
      if (factor === 0) continue;
      for (let c = 0; c < k; c++) sums[c] = (sums[c] ?? 0) + factor * (a[j * k + c] ?? 0);
    }
    for (let c = 0; c < k; c++) values[i * k + c] = (values[i * k + c] ?? 0) + (sums[c] ?? 0);
  }
}

function textSource(name: string, text: string): ByteSource {
  const bytes = new TextEncoder().encode(text);
  return {
    name,
    size: bytes.length,
    read: async (offset, length) => {
      checkRange({ name, size: bytes.length }, offset, length);
      return bytes.slice(offset, offset + length);
    },
  };
}
