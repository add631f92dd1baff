import { computesInF16, MOST_ONNX_PARTS, onnxData, onnxGraph, ONNX_VARIANTS } from "../checkpoint/onnx-variants.ts";
import type { OnnxVariant } from "../checkpoint/onnx-variants.ts";
import type { ByteSource, ModelFolder } from "../checkpoint/source.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { OrtProvider } from "./runtime.ts";

/** A model's graph, and the files beside it that hold its weights. */
export interface OnnxBytes {
  /** Path in the folder. */
  readonly file: string;
  readonly graph: Uint8Array<ArrayBuffer>;
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
export interface ReadOnnxOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** Graphs by variant, and the bytes of each with the weights beside it. */
export type OnnxGraphs = ReadonlyMap<OnnxVariant, number>;

/** What a folder in onnx-community's layout holds. */
export async function onnxGraphs(folder: ModelFolder, signal?: AbortSignal): Promise<OnnxGraphs> {
  const found = ONNX_VARIANTS.map(async (variant) => {
    const sources = await openGraph(folder, variant, signal);
    return sources.length === 0 ? [] : [[variant, bytesOf(sources)] as const];
  });
  return new Map((await Promise.all(found)).flat());
}

/** A graph and its parts, up to the first that is missing. */
async function openGraph(folder: ModelFolder, variant: OnnxVariant, signal?: AbortSignal): Promise<ByteSource[]> {
  const file = onnxGraph(variant);
  const names = [file, ...Array.from({ length: MOST_ONNX_PARTS }, (_, part) => onnxData(file, part))];
  const sources: ByteSource[] = [];
  for (const name of names) {
    const source = await folder.open(name, signal);
    if (!source) break;
    sources.push(source);
  }
  return sources;
}

function bytesOf(sources: readonly ByteSource[]): number {
  return sources.reduce((sum, { size }) => sum + size, 0);
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
 * Reads the best of the folder's models for a provider.
 * @throws R1Error E_FILE_MISSING where there is none, E_FEATURE where it runs none of them, E_LIMIT for one that WebAssembly cannot address, and what reading throws
 */
export async function readOnnx(
  folder: ModelFolder,
  provider: OrtProvider,
  { signal, onProgress }: ReadOnnxOptions = {},
): Promise<OnnxBytes> {
  const variant = chooseVariant(folder, await onnxGraphs(folder, signal), provider);
  const file = onnxGraph(variant);
  const sources = await openGraph(folder, variant, signal);
  const total = bytesOf(sources);
  if (total > MOST_BYTES) {
    const message = `${file}: ${total} bytes with its data; WebAssembly holds ${MOST_BYTES}`;
    throw new R1Error("E_LIMIT", message, { file, size: total });
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
  // The graph names its parts as its neighbours.
  const base = file.slice(file.lastIndexOf("/") + 1);
  const external = parts.map((data, part) => ({ path: onnxData(base, part), data }));
  return { file, graph, external };
}
