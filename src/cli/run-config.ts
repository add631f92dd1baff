import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { R1Error } from "../errors.ts";
import { readTextFile } from "./text-file.ts";

/** @throws R1Error E_FILE_MISSING, E_FILE_READ, E_FORMAT, E_JSON */
export function readConfig(file: string): unknown {
  const text = readTextFile(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new R1Error("E_JSON", `${file}: no valid JSON`, { file }, { cause });
  }
}

/** Paths in a configuration count from here, as in a shell; else from the configuration's folder. */
export function pathsOf(configFile: string): (path: string) => string {
  const directory = dirname(resolve(configFile));
  return (path) => (existsSync(path) ? path : resolve(directory, path));
}

/**
 * Reads the dataset that a configuration names.
 * @param find makes its path one of this process
 */
export function datasetReader(find: (path: string) => string): (path: string) => Promise<string> {
  return async (path) => readTextFile(find(path), path);
}
