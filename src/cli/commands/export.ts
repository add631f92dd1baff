import { statSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import type { ExportFile } from "../../checkpoint/export/file.ts";
import { safetensorsFiles } from "../../checkpoint/export/safetensors.ts";
import type { FloatDtype } from "../../checkpoint/floats.ts";
import type { WrittenDtype } from "../../checkpoint/export/gguf/quantize.ts";
import type { OnnxWeights } from "../../checkpoint/export/onnx/decoder.ts";
import { onnxFiles } from "../../checkpoint/export/onnx/export.ts";
import { peftFiles } from "../../checkpoint/export/peft.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS } from "../../checkpoint/peft/config.ts";
import { makeFolder } from "../../checkpoint/node/make-folder.ts";
import { systemCode, systemError } from "../../checkpoint/node/system-error.ts";
import { isR1Error, R1Error, throwIfAborted } from "../../errors.ts";
import { adaptedFolder } from "../../model/adapted-folder.ts";
import { readAdapter } from "../../model/adapter.ts";
import { exportGguf } from "../../model/export-gguf.ts";
import { openExportModel } from "../../model/export-model.ts";
import { readModelSpec } from "../../model/load.ts";
import { UsageError } from "../args.ts";
import type { Args } from "../args.ts";
import { note } from "../command.ts";
import type { Command } from "../command.ts";
import { trlExport } from "../export-trl.ts";
import { modelPath } from "../model-path.ts";
import { checkFileWritable, checkFolderWritable, checkRoomFor } from "../output.ts";
import { interruptible } from "../signals.ts";

const FLOAT_TYPES: Readonly<Record<string, FloatDtype>> = { f32: "F32", f16: "F16", bf16: "BF16" };
const GGUF_TYPES: Readonly<Record<string, WrittenDtype>> = { ...FLOAT_TYPES, q8_0: "Q8_0", q4_0: "Q4_0" };

const ONNX_WEIGHTS: Readonly<Record<string, OnnxWeights>> = { f32: "f32", f16: "f16", q4: "q4" };

/** What `--to` names: the files of each format. */
const FORMATS: Readonly<Record<string, (args: Args) => Promise<readonly ExportFile[]>>> = {
  safetensors: async (args) =>
    safetensorsFiles(await exportModel(args), {
      dtype: choice(args, "dtype", FLOAT_TYPES),
      maxShardBytes: shardBytes(args),
    }),
  gguf: async (args) => exportGguf(await exportModel(args), choice(args, "dtype", GGUF_TYPES) ?? "F16"),
  onnx: async (args) => onnxFiles(await exportModel(args), { weights: choice(args, "dtype", ONNX_WEIGHTS) }),
  trl: trlExport,
  peft: async (args) => peftFiles((await modelPath(args.required("model"))).folder),
};

/** Formats of whole models, into which an adapter can be added. */
const TAKES_ADAPTER: ReadonlySet<string> = new Set(["safetensors", "gguf", "onnx"]);

export const exportCommand: Command = {
  name: "export",
  usage: `--model <path> --to ${Object.keys(FORMATS).join("|")} --out PATH [--adapter DIR] [--config run.json] [--dtype T] [--max-shard-bytes 5e9]`,
  summary: "writes a model for other programs; needs no device",
  options: {
    model: { type: "string" },
    adapter: { type: "string" },
    to: { type: "string" },
    out: { type: "string" },
    config: { type: "string" },
    dtype: { type: "string" },
    "max-shard-bytes": { type: "string" },
  },
  async run(args) {
    const [to, out] = [args.required("to"), args.required("out")];
    const format = FORMATS[to];
    if (!format) throw new UsageError(`--to ${to}: expected ${Object.keys(FORMATS).join(", ")}`);
    if (args.text("adapter") !== undefined && !TAKES_ADAPTER.has(to)) {
      throw new UsageError(`--adapter with --to ${to}: expected ${[...TAKES_ADAPTER].join(", ")}`);
    }
    const files = await format(args);
    const [only] = files;
    // A format of one file may be written under the name that PATH gives.
    const single = files.length === 1 && only !== undefined && hasExtensionOf(out, only.path);
    if (single) checkFileWritable(out);
    else checkFolderWritable(out);
    checkRoomFor(
      files.reduce((sum, { size }) => sum + size, 0),
      single ? dirname(out) : out,
    );
    const written: string[] = [];
    const stop = interruptible("stopping; the file that is being written is removed");
    try {
      for (const file of files) {
        const path = single ? out : join(out, file.path);
        note(`${path}  ${file.size} bytes`);
        await writeFile(path, file, stop.signal);
        written.push(path);
      }
    } finally {
      stop.dispose();
    }
    return { json: { files: written }, text: written.join("\n") };
  },
};

async function exportModel(args: Args) {
  const { folder, file } = await modelPath(args.required("model"));
  const adapter = args.text("adapter");
  if (adapter === undefined) return openExportModel(folder, file);
  const spec = await readModelSpec(folder);
  const from = await modelPath(adapter);
  if (from.file !== undefined && from.file !== ADAPTER_WEIGHTS) {
    throw new UsageError(`--adapter ${adapter}: expected the folder of ${ADAPTER_CONFIG} and ${ADAPTER_WEIGHTS}`);
  }
  const tensors = await readAdapter(from.folder, spec);
  // A weights file that was named stands in the place of the folder's usual one.
  const named = file === undefined ? undefined : await openCheckpoint(folder, { file });
  const base = named ? { ...folder, checkpoint: named } : folder;
  return openExportModel(await adaptedFolder(folder.name, base, spec, tensors));
}

function choice<T>(args: Args, name: string, table: Readonly<Record<string, T>>): T | undefined {
  const value = args.text(name);
  if (value === undefined) return undefined;
  const chosen = Object.hasOwn(table, value) ? table[value] : undefined;
  if (chosen !== undefined) return chosen;
  throw new UsageError(`--${name} ${value}: expected ${Object.keys(table).join(", ")}`);
}

function shardBytes(args: Args): number | undefined {
  const bytes = args.number("max-shard-bytes");
  if (bytes !== undefined && bytes < 1) throw new UsageError(`--max-shard-bytes ${bytes}: expected bytes above 0`);
  return bytes;
}

function hasExtensionOf(out: string, path: string): boolean {
  const extension = path.slice(path.lastIndexOf("."));
  try {
    return out.endsWith(extension) && statSync(out, { throwIfNoEntry: false })?.isDirectory() !== true;
  } catch (error) {
    throw systemError(out, error, "written");
  }
}

/** A file appears whole or not at all: also where the model is exported onto itself. */
async function writeFile(path: string, file: ExportFile, signal: AbortSignal): Promise<void> {
  const part = `${path}.part`;
  try {
    makeFolder(dirname(path));
    const handle = await open(part, "w");
    try {
      for await (const chunk of file.chunks()) {
        throwIfAborted(signal);
        await handle.writeFile(chunk);
      }
      throwIfAborted(signal);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true }).catch(() => undefined);
    if (isR1Error(error) && error.code === "E_ABORTED") {
      throw new R1Error("E_ABORTED", `stopped on request; ${path} and what comes after it are not written`);
    }
    throw systemCode(error) === undefined ? error : systemError(path, error, "written");
  }
}
