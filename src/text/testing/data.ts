import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DATA, hasData } from "../../testing-data.ts";

/** The file's content in the shape that the test says it has; only for the project's own test data. */
export function readData<T>(file: string): T {
  return JSON.parse(readFileSync(join(DATA, file), "utf8")) as T;
}

/** Title of a suite that needs a file of test data, with the reason when it is skipped. */
export function titleWithData(title: string, file: string): string {
  return hasData(file) ? title : `${title} (skipped: test data ${file} is absent)`;
}
