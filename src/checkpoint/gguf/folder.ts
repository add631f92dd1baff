import { R1Error, throwIfAborted } from "../../errors.ts";
import { blobSource } from "../blob.ts";
import { quote } from "../quote.ts";
import type { ByteSource, ModelFolder } from "../source.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { GgufCheckpoint } from "./checkpoint.ts";
import { requireFinite } from "../finite.ts";
import { dequantize, isReadableDtype } from "./dequantize/dequantize.ts";
import { MetadataReader } from "./metadata.ts";
import { architectureOf, hasPairedHeads, modelConfig, ROPE_FACTORS } from "./model-config.ts";
import { modelNameOf, openParts } from "./split.ts";
import { generationConfig, tokenizerConfig, tokenizerJson } from "./tokenizer-files.ts";

/** Files whose presence makes a folder one in Hugging Face's layout, whatever else lies there. */
const LAYOUT_FILES = ["model.safetensors", "model.safetensors.index.json"];
/** Names that a message lists. */
const MAX_LISTED = 5;

export function isGgufName(file: string): boolean {
  return file.endsWith(".gguf");
}

/**
 * The folder itself where it is in Hugging Face's layout, else its GGUF model as such a folder.
 * @param file names the GGUF file
 * @throws R1Error E_FORMAT for a folder with several GGUF models, and what {@link ggufFolder} throws
 */
export async function modelFolder(folder: ModelFolder, file?: string, signal?: AbortSignal): Promise<ModelFolder> {
  if (file !== undefined) return isGgufName(file) ? ggufFolder(folder, file, signal) : folder;
  const names = (await folder.list?.()) ?? [];
  if (names.some((name) => LAYOUT_FILES.includes(name))) return folder;
  const models = new Map(
    names
      .filter(isGgufName)
      .toSorted()
      .toReversed()
      .map((name) => [modelNameOf(name), name]),
  );
  const [first, ...others] = [...models.values()].toReversed();
  if (first === undefined) return folder;
  if (others.length === 0) return ggufFolder(folder, first, signal);
  const listed = [first, ...others].slice(0, MAX_LISTED).map(quote).join(", ");
  throw new R1Error("E_FORMAT", `${folder.name}: found ${models.size} GGUF models; choose one of ${listed}`, {
    folder: folder.name,
  });
}

/**
 * A GGUF model as a folder in Hugging Face's layout: its tensors under Hugging Face's names, and the text files that its
 * metadata stand for. Headers are read and checked; what the metadata say is checked as the files are opened.
 * @throws R1Error what `openParts` throws
 */
export async function ggufFolder(folder: ModelFolder, file: string, signal?: AbortSignal): Promise<ModelFolder> {
  const parts = await openParts(folder, file, signal);
  const [{ metadata: entries, source }] = parts;
  const metadata = new MetadataReader(entries, source.name);
  const architecture = architectureOf(metadata);
  const checkpoint = new GgufCheckpoint(
    parts,
    architecture !== undefined && hasPairedHeads(architecture) ? pairedHeads(metadata, architecture) : undefined,
  );
  const files: Readonly<Record<string, (signal?: AbortSignal) => object | undefined | Promise<object>>> = {
    "config.json": async (stop) => {
      const ropeFactors = await readFactors(checkpoint, stop);
      return modelConfig({ metadata, tensors: checkpoint.tensors, ropeFactors });
    },
    "tokenizer.json": () => tokenizerJson(metadata),
    "tokenizer_config.json": () => tokenizerConfig(metadata),
    "generation_config.json": () => generationConfig(metadata),
  };
  return {
    name: modelNameOf(file),
    checkpoint,
    async open(name, stop): Promise<ByteSource | undefined> {
      throwIfAborted(stop);
      const write = Object.hasOwn(files, name) ? files[name] : undefined;
      // Metadata without an architecture describe no model: they have tensors alone.
      const content = architecture === undefined ? undefined : await write?.(stop);
      return content && blobSource(name, new Blob([JSON.stringify(content)]));
    },
  };
}

function pairedHeads(metadata: MetadataReader, architecture: string): { queries: number; keys: number } | undefined {
  const queries = metadata.integer(`${architecture}.attention.head_count`);
  if (queries === undefined) return undefined;
  return { queries, keys: metadata.integer(`${architecture}.attention.head_count_kv`) ?? queries };
}

async function readFactors(checkpoint: Checkpoint, signal?: AbortSignal): Promise<Float32Array | undefined> {
  const tensor = checkpoint.tensors.get(ROPE_FACTORS);
  // Far fewer than a head's width can be: a larger tensor is something else.
  if (!tensor || !isReadableDtype(tensor.dtype) || tensor.bytes > 65_536) return undefined;
  const bytes = await checkpoint.read(ROPE_FACTORS, 0, tensor.bytes, signal);
  requireFinite(tensor, tensor.dtype, bytes);
  return dequantize(tensor.dtype, bytes);
}
