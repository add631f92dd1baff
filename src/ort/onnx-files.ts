import { pathSegments } from "../checkpoint/file-name.ts";
import { readOnnxModel } from "../checkpoint/onnx/model.ts";
import type { OnnxModelSummary } from "../checkpoint/onnx/model.ts";
import { computesInF16, MOST_ONNX_PARTS, onnxData, onnxGraph, ONNX_VARIANTS } from "../checkpoint/onnx/variants.ts";
import type { OnnxVariant } from "../checkpoint/onnx/variants.ts";
import { quote } from "../checkpoint/quote.ts";
import { allocate } from "../checkpoint/source.ts";
import type { ByteSource, ModelFolder } from "../checkpoint/source.ts";
import { isR1Error, R1Error, throwIfAborted } from "../errors.ts";
import type { OrtProvider } from "./runtime.ts";

/** A model's graph, and the files beside it that hold its weights. */
export interface OnnxBytes {
  /** Path in the folder. */
  readonly file: string;
  readonly graph: Uint8Array<ArrayBuffer>;
  /** What the graph says. */
  readonly summary: OnnxModelSummary;
  readonly external: readonly { readonly path: string; readonly data: Uint8Array<ArrayBuffer> }[];
}

/** Variants that a provider runs, best first. */
const VARIANTS: Readonly<Record<OrtProvider["name"], readonly OnnxVariant[]>> = {
  webgpu: ["model_q4f16", "model_q4", "model_fp16", "model"],
  // On a CPU half floats are converted at every operator.
  wasm: ["model_q4", "model_quantized", "model_int8", "model_uint8", "model", "model_q4f16", "model_fp16"],
};

/** WebAssembly addresses 4 GiB, in which the runtime has a second copy of some weights while it loads. */
export const MOST_BYTES = 3.5 * 2 ** 30;
const READ_BYTES = 4 << 20;
/** Graphs up to this size are read for the names of their data, where these are not the usual ones. */
const MOST_BARE_GRAPH = 16 << 20;
/** Files that a graph may name; old exporters write one for each tensor. */
const MOST_DATA_FILES = 4000;

export interface ReadOnnxOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** Graphs by variant, and the bytes of each with the weights beside it. */
export type OnnxGraphs = ReadonlyMap<OnnxVariant, number>;

/**
 * What a folder holds in onnx-community's layout, or, where it has no folder `onnx`, beside its configuration, as exporters
 * write it.
 */
export async function onnxGraphs(folder: ModelFolder, signal?: AbortSignal): Promise<OnnxGraphs> {
  for (const place of PLACES) {
    const found = ONNX_VARIANTS.map(async (variant) => {
      const bytes = await graphBytes(folder, place(variant), signal);
      return bytes === undefined ? [] : [[variant, bytes] as const];
    });
    const graphs = new Map((await Promise.all(found)).flat());
    if (graphs.size > 0) return graphs;
  }
  return new Map();
}

const PLACES: readonly ((variant: OnnxVariant) => string)[] = [onnxGraph, (variant) => `${variant}.onnx`];

/** A graph's bytes with those of its parts, up to the first that is missing; undefined where there is no graph. */
async function graphBytes(folder: ModelFolder, file: string, signal?: AbortSignal): Promise<number | undefined> {
  const graph = await folder.open(file, signal);
  if (!graph) return undefined;
  let total = graph.size;
  let parts = 0;
  for (; parts < MOST_ONNX_PARTS; parts++) {
    const source = await folder.open(onnxData(file, parts), signal);
    if (!source) break;
    total += source.size;
  }
  if (parts > 0 || graph.size > MOST_BARE_GRAPH) return total;
  for (const location of await locations(graph, file, signal)) {
    total += (await folder.open(beside(file, location), signal))?.size ?? 0;
  }
  return total;
}

/** Files that a graph names. What is wrong with it is said when it is the one that is loaded. */
async function locations(graph: ByteSource, file: string, signal?: AbortSignal): Promise<Set<string>> {
  const bytes = await graph.read(0, graph.size, signal);
  try {
    return new Set(readOnnxModel(bytes, file).external.map(({ location }) => location));
  } catch (error) {
    if (isR1Error(error)) return new Set();
    throw error;
  }
}

/** Path of a file that a graph names. */
function beside(graph: string, location: string): string {
  const path = location.startsWith("./") ? location.slice(2) : location;
  return pathSegments(graph.slice(0, graph.lastIndexOf("/") + 1) + path).join("/");
}

/**
 * The best of some graphs for a provider; undefined where it runs none of them.
 * @param hasF16 whether the graphics device has `shader-f16`
 */
export function bestVariant(
  graphs: OnnxGraphs,
  provider: OrtProvider["name"],
  hasF16: boolean,
): OnnxVariant | undefined {
  const canRun = (variant: OnnxVariant): boolean => provider === "wasm" || hasF16 || !computesInF16(variant);
  return VARIANTS[provider].find((variant) => graphs.has(variant) && canRun(variant));
}

/** @throws R1Error E_FILE_MISSING where there is none, E_FEATURE where the provider runs none of them */
function chooseVariant(folder: ModelFolder, graphs: OnnxGraphs, provider: OrtProvider): OnnxVariant {
  const hasF16 = provider.name === "webgpu" && provider.device.features.has("shader-f16");
  const best = bestVariant(graphs, provider.name, hasF16);
  if (best) return best;
  const variants = [...graphs.keys()];
  const [found] = variants;
  if (found === undefined) {
    throw new R1Error("E_FILE_MISSING", `${folder.name}: no onnx/model.onnx or another variant of it`, {
      file: "onnx/model.onnx",
    });
  }
  const why = variants.some(computesInF16)
    ? "it computes in f16, and this graphics device has no shader-f16"
    : "ONNX Runtime computes it on the processor alone";
  const names = variants.map(onnxGraph).join(", ");
  throw new R1Error("E_FEATURE", `${folder.name}: found ${names}: ${why}; model_q4.onnx runs on every device`, {
    file: onnxGraph(found),
  });
}

/**
 * Reads the best of the folder's models for a provider, and checks the graph before anything else sees it.
 * @throws R1Error E_FILE_MISSING where there is none or its data are not there, E_FEATURE where it runs none of them, E_LIMIT
 *   for one that WebAssembly cannot address, and what `readOnnxModel` and reading throw
 */
export async function readOnnx(
  folder: ModelFolder,
  provider: OrtProvider,
  { signal, onProgress }: ReadOnnxOptions = {},
): Promise<OnnxBytes> {
  const variant = chooseVariant(folder, await onnxGraphs(folder, signal), provider);
  let file = onnxGraph(variant);
  let source: ByteSource | undefined;
  for (const place of PLACES) {
    file = place(variant);
    source = await folder.open(file, signal);
    if (source) break;
  }
  if (!source) throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${file}`, { file });
  requireRoom(file, source.size);
  let loaded = 0;
  let total = source.size;
  const read = async (one: ByteSource): Promise<Uint8Array<ArrayBuffer>> => {
    const bytes = allocate(one.name, one.size);
    for (let at = 0; at < one.size; at += READ_BYTES) {
      throwIfAborted(signal);
      const piece = await one.read(at, Math.min(READ_BYTES, one.size - at), signal);
      bytes.set(piece, at);
      loaded += piece.length;
      onProgress?.(loaded, total);
    }
    return bytes;
  };
  const graph = await read(source);
  const summary = readOnnxModel(graph, file);
  const parts = await openData(folder, file, summary, signal);
  total += parts.reduce((sum, part) => sum + part.source.size, 0);
  requireRoom(file, total);
  const external: { path: string; data: Uint8Array<ArrayBuffer> }[] = [];
  for (const part of parts) external.push({ path: part.location, data: await read(part.source) });
  return { file, graph, summary, external };
}

function requireRoom(file: string, bytes: number): void {
  if (bytes <= MOST_BYTES) return;
  const message = `${file}: ${bytes} bytes with its data; WebAssembly holds ${MOST_BYTES}`;
  throw new R1Error("E_LIMIT", message, { file, size: bytes });
}

interface DataFile {
  readonly location: string;
  readonly source: ByteSource;
}

/** The files that a graph names, each as large as what it is said to hold. */
async function openData(
  folder: ModelFolder,
  file: string,
  { external }: OnnxModelSummary,
  signal?: AbortSignal,
): Promise<DataFile[]> {
  const files = new Map<string, DataFile>();
  for (const { location, tensor, offset, length } of external) {
    let found = files.get(location);
    if (!found) {
      if (files.size === MOST_DATA_FILES) {
        throw new R1Error("E_FORMAT", `${file}: found more than ${MOST_DATA_FILES} data files`, { file });
      }
      const path = beside(file, location);
      const source = await folder.open(path, signal);
      if (!source) {
        throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${quote(path)}, which ${file} names`, { file: path });
      }
      found = { location, source };
      files.set(location, found);
    }
    const { size, name } = found.source;
    if (offset + length <= size) continue;
    const problem = `tensor ${quote(tensor)}: ${length} bytes from byte ${offset}; the file has ${size} bytes`;
    throw new R1Error("E_FILE_TRUNCATED", `${name}: ${problem}`, { file: name, size });
  }
  return [...files.values()];
}
