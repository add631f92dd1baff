import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";

/** A model on disk as the command line names it. */
export interface ModelPath {
  readonly folder: ModelFolder;
  /** Set when a weights file was named rather than its folder. */
  readonly file?: string;
}

/**
 * A path is a Hugging Face-layout folder or a `.safetensors` file beside its `config.json`.
 * @throws R1Error E_FILE_MISSING, E_FORMAT
 */
export function modelPath(path: string): ModelPath {
  const full = resolve(path);
  if (!existsSync(full)) throw new R1Error("E_FILE_MISSING", `${path}: no such file or folder`, { file: path });
  if (statSync(full).isDirectory()) return { folder: nodeFolder(full) };
  const extension = extname(full);
  if (extension === ".safetensors") return { folder: nodeFolder(dirname(full)), file: basename(full) };
  throw new R1Error(
    "E_FORMAT",
    `${path}: ${extension || "no extension"}; expected a model folder or a .safetensors file`,
    {
      file: path,
    },
  );
}
