import { statSync } from "node:fs";
import { basename, dirname, extname, resolve } from "node:path";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { systemError } from "../checkpoint/node/system-error.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";

/** A model on disk as the command line names it. */
export interface ModelPath {
  readonly folder: ModelFolder;
  /** Set when a weights file was named rather than its folder. */
  readonly file?: string;
}

/**
 * A path is a Hugging Face-layout folder, a `.safetensors` file beside its `config.json`, a GGUF file or a
 * folder with one.
 * @throws R1Error E_FILE_MISSING, E_FILE_READ, E_FORMAT, and what `modelFolder` throws
 */
export async function modelPath(path: string): Promise<ModelPath> {
  const full = resolve(path);
  if (isFolder(full, path)) return { folder: await modelFolder(nodeFolder(full)) };
  const [folder, file] = [nodeFolder(dirname(full)), basename(full)];
  const extension = extname(full);
  if (extension === ".gguf") return { folder: await modelFolder(folder, file) };
  if (extension === ".safetensors") return { folder, file };
  throw new R1Error(
    "E_FORMAT",
    `${path}: ${extension || "no extension"}; expected a model folder, a .safetensors or a .gguf file`,
    {
      file: path,
    },
  );
}

function isFolder(full: string, path: string): boolean {
  try {
    return statSync(full).isDirectory();
  } catch (error) {
    throw systemError(path, error, "read");
  }
}
