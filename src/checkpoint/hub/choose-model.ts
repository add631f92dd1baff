import { R1Error } from "../../errors.ts";
import { MAX_PARTS } from "../gguf/split.ts";
import { MOST_ONNX_PARTS, onnxData, onnxGraph, ONNX_VARIANTS } from "../onnx/variants.ts";
import { quote } from "../quote.ts";
import { MAX_SHARDS } from "../safetensors/shard-index.ts";
import { TEXT_FILES } from "../text-files.ts";
import { formatHubAddress } from "./address.ts";
import type { HubAddress } from "./address.ts";
import type { HubFile, HubListing } from "./hub.ts";

/** A model that a repository has, in one of the forms that can be opened. */
export interface HubModel {
  readonly format: "safetensors" | "gguf" | "onnx";
  /** What names it in the repository: the file with the weights, the first of several, their index, or a graph. */
  readonly file: string;
  /** All that it needs, in the order in which they should come: what can be checked early first. */
  readonly files: readonly HubFile[];
  /** Of all files. */
  readonly bytes: number;
}

const CONFIG = "config.json";
const SINGLE = "model.safetensors";
const INDEX = "model.safetensors.index.json";
const SHARD = /^model-\d{5}-of-\d{5,6}\.safetensors$/;
const GGUF_PART = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/;
const SEVERAL = { gguf: "several GGUF files", onnx: "several ONNX models" } as const;
/** Parts that a model is opened in, as in `gguf/split.ts` and `safetensors/shard-index.ts`. */
const MOST_PARTS = { safetensors: MAX_SHARDS, gguf: MAX_PARTS, onnx: MOST_ONNX_PARTS } as const;
/** Files that a message repeats. */
const MAX_TOLD = 20;

/** All models of a repository: its safetensors, each GGUF file, and each ONNX graph. */
export function modelsOf(files: readonly HubFile[]): readonly HubModel[] {
  return [...safetensorsModels(files), ...ggufModels(files), ...onnxModels(files)];
}

/**
 * The one model that an address means.
 * @throws R1Error E_HUB_FILES, listing what there is, when there is none or more than one; E_HUB_MISSING for a file that
 *   the repository does not have
 */
export function chooseModel({ files }: Pick<HubListing, "files">, address: HubAddress): HubModel {
  const model = modelNamed(files, address);
  const parts = model.files.filter(({ path }) => isPart(model, path)).length;
  const most = MOST_PARTS[model.format];
  if (parts <= most) return model;
  throw new R1Error(
    "E_HUB_FILES",
    `${formatHubAddress(address)}: ${quote(model.file)} has ${parts} parts; at most ${most} can be opened`,
  );
}

function isPart(model: HubModel, path: string): boolean {
  if (model.format === "onnx") return path.startsWith(`${model.file}_data`);
  return path !== INDEX && isWeights(model, path);
}

function modelNamed(files: readonly HubFile[], address: HubAddress): HubModel {
  const models = modelsOf(files);
  const { file } = address;
  if (file === undefined) {
    const [first, second] = models;
    if (!first) {
      const expected = `${CONFIG} with safetensors or ${onnxGraph("model")} (or ${onnxGraph("model_q4f16")}, …), or a GGUF file`;
      throw unusable(address, `no model that can be opened, which is ${expected}; found`, files);
    }
    if (first.format !== "safetensors" && second) {
      throw unusable(address, `${SEVERAL[first.format]}; name one of them after a colon; found`, models.map(asFile));
    }
    return first;
  }
  const found = models.find((model) => model.file === file || model.files.some(({ path }) => path === file));
  if (found && isWeights(found, file)) return found;
  if (files.some(({ path }) => path === file)) throw unusable(address, "not a model's weights; found", files);
  throw new R1Error("E_HUB_MISSING", `${formatHubAddress(address)}: the repository has no such file`, { file });
}

function isWeights({ format, file: graph }: HubModel, file: string): boolean {
  if (format === "onnx") return file.startsWith(graph);
  return format === "gguf" || file === INDEX || file === SINGLE || SHARD.test(file);
}

function asFile({ file, bytes }: HubModel): HubFile {
  return { path: file, size: bytes };
}

function unusable(address: HubAddress, problem: string, files: readonly Pick<HubFile, "path">[]): R1Error {
  const told = files.slice(0, MAX_TOLD).map(({ path }) => quote(path));
  const more = files.length > told.length ? ` and ${files.length - told.length} more` : "";
  const list = told.length === 0 ? "no files" : told.join(", ");
  return new R1Error("E_HUB_FILES", `${formatHubAddress(address)}: ${problem} ${list}${more}`);
}

/** In Hugging Face's layout a folder is one model; a checkpoint in one file wins over shards, as in loading it. */
function safetensorsModels(files: readonly HubFile[]): HubModel[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const [config, single, index] = [CONFIG, SINGLE, INDEX].map((name) => byPath.get(name));
  if (!config) return [];
  const texts = TEXT_FILES.flatMap((name) => byPath.get(name) ?? []);
  if (single) return [modelOf("safetensors", SINGLE, [config, ...texts, single])];
  const shards = files.filter(({ path }) => SHARD.test(path)).toSorted(byName);
  return index && shards.length > 0 ? [modelOf("safetensors", INDEX, [config, ...texts, index, ...shards])] : [];
}

/** Each file is a model of its own, with its text side inside; the parts of a split one are one. */
function ggufModels(files: readonly HubFile[]): HubModel[] {
  const groups = new Map<string, HubFile[]>();
  for (const file of files.toSorted(byName)) {
    if (!file.path.endsWith(".gguf") || isProjector(file.path)) continue;
    const [, stem, , parts] = GGUF_PART.exec(file.path) ?? [];
    const key = stem === undefined ? file.path : `${stem} of ${parts}`;
    const group = groups.get(key);
    if (group) group.push(file);
    else groups.set(key, [file]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    const parts = Number(GGUF_PART.exec(first?.path ?? "")?.[3] ?? 1);
    return first && group.length === parts ? [modelOf("gguf", first.path, group)] : [];
  });
}

/** Each graph is a model of its own, with the weights that lie beside it; the configuration and the texts are all of theirs. */
function onnxModels(files: readonly HubFile[]): HubModel[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const config = byPath.get(CONFIG);
  if (!config) return [];
  const texts = TEXT_FILES.flatMap((name) => byPath.get(name) ?? []);
  return ONNX_VARIANTS.flatMap((variant) => {
    const graph = byPath.get(onnxGraph(variant));
    if (!graph) return [];
    const data: HubFile[] = [];
    // One more than can be opened, to be refused.
    for (let part = 0; part <= MOST_ONNX_PARTS; part++) {
      const file = byPath.get(onnxData(graph.path, part));
      if (!file) break;
      data.push(file);
    }
    return [modelOf("onnx", graph.path, [config, ...texts, graph, ...data])];
  });
}

/** What makes tokens of pictures, or steers a quantization, is no language model. */
function isProjector(path: string): boolean {
  return /(^|\/)(mmproj|imatrix)[^/]*$/i.test(path);
}

function modelOf(format: HubModel["format"], file: string, files: readonly HubFile[]): HubModel {
  return { format, file, files, bytes: files.reduce((sum, { size }) => sum + size, 0) };
}

function byName(a: HubFile, b: HubFile): number {
  return a.path < b.path ? -1 : 1;
}
