import { marked } from "./text.ts";
import { Dict, List } from "./values.ts";
import type { Value } from "./values.ts";

/** Data as JSON has them. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * JSON as Python's `json.loads` gives it; numbers without a fraction are whole. A field that is undefined is left out.
 * @param isReaders whether its strings are what a reader wrote, those that name a dictionary's entries among them
 */
export function fromJson(json: Json, isReaders = false): Value {
  if (json === null || typeof json === "boolean") return json;
  if (typeof json === "string") return isReaders ? marked(json) : json;
  if (typeof json === "number") return Number.isSafeInteger(json) ? BigInt(json) : json;
  if (isList(json)) return new List(json.map((item) => fromJson(item, isReaders)));
  return new Dict(
    Object.entries(json).flatMap(([key, value]) =>
      value === undefined ? [] : [[isReaders ? marked(key) : key, fromJson(value, isReaders)] as const],
    ),
  );
}

function isList(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}
