import type { GgufMetadata, GgufValue } from "../../gguf/metadata.ts";
import type { WrittenValue } from "../../gguf/write.ts";

const PREFIX = "tokenizer.";
const MODEL = "tokenizer.ggml.model";

/** A GGUF file's tokenizer and chat template as they are, whatever kind they are of; undefined where it has none. */
export function originalTokenizer(entries: GgufMetadata): Map<string, WrittenValue> | undefined {
  if (!entries.has(MODEL)) return undefined;
  return new Map(
    [...entries].flatMap(([key, value]) => {
      const written = key.startsWith(PREFIX) ? writtenValue(value) : undefined;
      return written ? [[key, written] as const] : [];
    }),
  );
}

/** Whole numbers are ids; their width in the file means nothing to who reads them. */
function writtenValue(value: GgufValue): WrittenValue | undefined {
  if (typeof value === "string") return ["string", value];
  if (typeof value === "boolean") return ["bool", value];
  if (typeof value === "bigint") return undefined;
  if (typeof value !== "number") return ArrayBuffer.isView(value) ? ["numbers", value] : ["strings", value];
  if (!Number.isInteger(value)) return ["f32", value];
  return value < 0 ? ["i32", value] : ["u32", value];
}
