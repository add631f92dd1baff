import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { OrtProvider } from "./runtime.ts";

/** A model's graph, and the files beside it that hold its weights. */
export interface OnnxBytes {
  /** Path in the folder. */
  readonly file: string;
  readonly graph: Uint8Array<ArrayBuffer>;
  readonly external: readonly { readonly path: string; readonly data: Uint8Array<ArrayBuffer> }[];
}

/** Names in onnx-community's repositories, best first. */
const VARIANTS: Readonly<Record<OrtProvider["name"], readonly string[]>> = {
  webgpu: ["model_q4f16", "model_q4", "model_fp16", "model"],
  // On a CPU half floats are converted at every operator.
  wasm: ["model_q4", "model_quantized", "model", "model_q4f16", "model_fp16"],
};

/** WebAssembly addresses 4 GiB, in which the runtime has a second copy of some weights while it loads. */
const MOST_BYTES = 3.5 * 2 ** 30;
const READ_BYTES = 4 << 20;
/** `model.onnx_data`, `model.onnx_data_1`, … */
const MOST_PARTS = 64;

export interface ReadOnnxOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** True where the folder holds a model in onnx-community's layout. */
export async function hasOnnx(folder: ModelFolder, signal?: AbortSignal): Promise<boolean> {
  return (await findGraph(folder, "wasm", signal)) !== undefined;
}

async function findGraph(folder: ModelFolder, provider: OrtProvider["name"], signal?: AbortSignal) {
  for (const name of VARIANTS[provider]) {
    const file = `onnx/${name}.onnx`;
    const source = await folder.open(file, signal);
    if (source) return { file, source };
  }
  return undefined;
}

/**
 * Reads the best of the folder's models for a provider.
 * @throws R1Error E_FILE_MISSING where there is none, E_LIMIT for one that WebAssembly cannot address, and what reading throws
 */
export async function readOnnx(
  folder: ModelFolder,
  provider: OrtProvider["name"],
  { signal, onProgress }: ReadOnnxOptions = {},
): Promise<OnnxBytes> {
  const found = await findGraph(folder, provider, signal);
  if (!found) {
    throw new R1Error("E_FILE_MISSING", `${folder.name}: no onnx/model.onnx or another variant of it`, {
      file: "onnx/model.onnx",
    });
  }
  const sources = [found.source];
  for (let part = 0; part < MOST_PARTS; part++) {
    const source = await folder.open(`${found.file}_data${part === 0 ? "" : `_${part}`}`, signal);
    if (!source) break;
    sources.push(source);
  }
  const total = sources.reduce((sum, { size }) => sum + size, 0);
  if (total > MOST_BYTES) {
    const message = `${found.file}: ${total} bytes with its data; WebAssembly holds ${MOST_BYTES}`;
    throw new R1Error("E_LIMIT", message, { file: found.file, size: total });
  }
  let loaded = 0;
  const contents: Uint8Array<ArrayBuffer>[] = [];
  for (const source of sources) {
    const bytes = new Uint8Array(source.size);
    for (let at = 0; at < source.size; at += READ_BYTES) {
      throwIfAborted(signal);
      const piece = await source.read(at, Math.min(READ_BYTES, source.size - at), signal);
      bytes.set(piece, at);
      loaded += piece.length;
      onProgress?.(loaded, total);
    }
    contents.push(bytes);
  }
  const [graph = new Uint8Array(), ...parts] = contents;
  const base = found.file.slice(found.file.lastIndexOf("/") + 1);
  const external = parts.map((data, part) => ({ path: `${base}_data${part === 0 ? "" : `_${part}`}`, data }));
  return { file: found.file, graph, external };
}
