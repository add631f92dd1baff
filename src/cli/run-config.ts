import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { R1Error } from "../errors.ts";

/** @throws R1Error E_FILE_MISSING, E_JSON */
export function readConfig(file: string): unknown {
  if (!existsSync(file)) throw new R1Error("E_FILE_MISSING", `${file}: no such file`, { file });
  try {
    return JSON.parse(readFileSync(file, "utf8"));
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
  return (path) => {
    const found = find(path);
    if (!existsSync(found)) throw new R1Error("E_FILE_MISSING", `${path}: no such file`, { file: path });
    return Promise.resolve(readFileSync(found, "utf8"));
  };
}
