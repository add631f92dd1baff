import { isObject } from "../fields.ts";
import { BoundedPattern } from "./bounded-pattern.ts";
import { KNOWN_PATTERNS } from "./known-patterns.ts";

/**
 * Puts patterns whose steps are counted in the place of those of a tokenizer's normalizers and pre-tokenizers, but for
 * published ones. A replacement text is taken as it is: `$&` and its like mean nothing in a `tokenizer.json`.
 * @param part the library's normalizer or pre-tokenizer, which is changed
 * @throws UnsupportedPattern
 */
export function boundPatterns(part: unknown): void {
  if ((typeof part !== "object" && typeof part !== "function") || part === null) return;
  for (const field of ["normalizers", "tokenizers"] as const) {
    const list: unknown = Reflect.get(part, field);
    if (Array.isArray(list)) for (const one of list) boundPatterns(one);
  }
  const pattern: unknown = Reflect.get(part, "pattern");
  const config: unknown = Reflect.get(part, "config");
  if (!(pattern instanceof RegExp) || !isObject(config) || !isObject(config["pattern"])) return;
  const written = config["pattern"]["Regex"];
  if (typeof written !== "string") {
    const content = config["content"];
    if (typeof content === "string")
      Reflect.set(part, "config", { ...config, content: content.replaceAll("$", "$$$$") });
    return;
  }
  if (KNOWN_PATTERNS.has(written) && config["content"] === undefined) return;
  Reflect.set(part, "pattern", new BoundedPattern(pattern.source));
}
