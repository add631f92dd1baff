import { R1Error } from "../../errors.ts";
import { isFileName } from "../file-name.ts";
import { JsonScanner } from "../json-scanner.ts";
import { quote } from "../quote.ts";
import { MAX_TENSORS } from "./header.ts";

/** Enough for models of trillions of parameters in the usual 5 GB shards. */
export const MAX_SHARDS = 2000;

/**
 * Parses `model.safetensors.index.json`: which shard holds which tensor. Other fields, `metadata.total_size` among
 * them, are ignored: writers get it wrong, and every shard's own header says what it holds.
 * @param file name for messages
 * @returns shard file by tensor name
 * @throws R1Error E_JSON, E_FORMAT
 */
export function parseShardIndex(text: string, file: string): ReadonlyMap<string, string> {
  const error = (problem: string): R1Error => new R1Error("E_FORMAT", `${file}: ${problem}`, { file });
  const json = new JsonScanner(text, (problem) => new R1Error("E_JSON", `${file}: ${problem}`, { file }));
  const shards = new Map<string, string>();
  const expect = (kind: "object" | "string", field: string): void => {
    const found = json.kind();
    if (found !== kind) throw error(`${field}: found JSON ${found}; expected ${kind}`);
  };
  expect("object", "the index");
  json.object((key) => {
    if (key !== "weight_map") return json.skip();
    expect("object", "weight_map");
    json.object((tensor) => {
      expect("string", `weight_map ${quote(tensor)}`);
      const shard = json.string();
      if (!isFileName(shard)) {
        throw error(
          `weight_map ${quote(tensor)}: found ${quote(shard)}; expected the name of a file in the same folder`,
        );
      }
      if (shards.size === MAX_TENSORS) throw error(`weight_map: more than ${MAX_TENSORS} tensors`);
      shards.set(tensor, shard);
    });
  });
  json.end();
  if (shards.size === 0) throw error("found no weight_map with tensors; expected one");
  const files = new Set(shards.values()).size;
  if (files > MAX_SHARDS) throw error(`weight_map: names ${files} files; the limit is ${MAX_SHARDS}`);
  return shards;
}
