import * as v from "valibot";
import { quote } from "../../checkpoint/quote.ts";
import { R1Error } from "../../errors.ts";

type Entries = Readonly<Record<string, v.GenericSchema>>;

/** A complaint about a configuration's field. `found` and `expected` complete "found …; expected …". */
export function optionError(field: string, found: string, expected: string): R1Error {
  return new R1Error("E_OPTION", `${field}: found ${found}; expected ${expected}`, { field });
}

/**
 * Reads the fields of a JSON object; defaults are the schema's.
 * @param prefix of the fields' names in complaints, for an object within an object
 * @throws R1Error E_OPTION for a key that is not known, naming the nearest that is, and for the first value that is
 *   not what its field expects
 */
export function parseFields<Schema extends v.ObjectSchema<Entries, undefined>>(
  schema: Schema,
  json: unknown,
  prefix = "",
): v.InferOutput<Schema> {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw optionError(prefix === "" ? "configuration" : prefix.slice(0, -1), show(json), "a JSON object");
  }
  const known = Object.keys(schema.entries);
  for (const key of Object.keys(json)) {
    if (known.includes(key)) continue;
    const near = nearest(key, known);
    throw new R1Error("E_OPTION", `${quote(prefix + key)}: found an unknown key; the nearest known is ${near}`, {
      field: prefix + key,
      nearest: near,
    });
  }
  // A key that is missing is a value that is missing: the field says what it expected.
  const missing = Object.fromEntries(known.map((key) => [key, undefined]));
  const parsed = v.safeParse(schema, { ...missing, ...json });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw optionError(prefix + (v.getDotPath(issue) ?? "configuration"), show(issue.input), issue.message);
}

/** A pair of values that cannot stand together. */
export interface Conflict<Config> {
  readonly field: string;
  readonly when: (config: Config) => boolean;
  readonly found: (config: Config) => string;
  readonly expected: string;
}

/** @throws R1Error E_OPTION for the first that holds */
export function refuseConflicts<Config>(config: Config, conflicts: readonly Conflict<Config>[]): void {
  for (const { field, when, found, expected } of conflicts) {
    if (when(config)) throw optionError(field, found(config), expected);
  }
}

/** Freezes a configuration with everything in it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}

/** A value from outside, as a complaint may repeat it. */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return quote(value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  return JSON.stringify(value) ?? typeof value;
}

/** The name of least edit distance (Levenshtein). Only a key's first characters are compared: it is from outside. */
function nearest(key: string, names: readonly string[]): string {
  const short = key.slice(0, 64);
  const distances = names.map((name) => ({ name, distance: editDistance(short, name) }));
  return distances.reduce((best, one) => (one.distance < best.distance ? one : best)).name;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
