import { isObject } from "./fields.ts";

/** Python's string methods whose argument the template library ignores, under names that no template can spell. */
const METHODS: Readonly<Record<string, string>> = { strip: "str.strip", lstrip: "str.lstrip", rstrip: "str.rstrip" };

/**
 * Turns `text.strip(chars)` in a parsed template into a call of the functions in `STRIP_FUNCTIONS`. Templates of
 * reasoning models take newlines off a message with it (`content.split('</think>')[-1].lstrip('\n')`), and must leave
 * its spaces.
 * @param program the library's syntax tree, which is changed
 */
export function useStripFunctions(program: unknown): void {
  const open: unknown[] = [program];
  while (open.length > 0) {
    const node = open.pop();
    if (Array.isArray(node)) {
      for (const child of node) open.push(child);
      continue;
    }
    if (!isObject(node)) continue;
    for (const child of Object.values(node)) if (typeof child === "object") open.push(child);
    const { callee, args } = node;
    if (node["type"] !== "CallExpression" || !isObject(callee) || !Array.isArray(args) || args.length !== 1) continue;
    const { property } = callee;
    if (callee["type"] !== "MemberExpression" || callee["computed"] === true || !isObject(property)) continue;
    const name = property["value"];
    const method = typeof name === "string" && Object.hasOwn(METHODS, name) ? METHODS[name] : undefined;
    if (method === undefined) continue;
    const named = Object.assign(property, { value: method });
    Object.assign(node, { callee: named, args: [callee["object"], args[0]] });
  }
}

export const STRIP_FUNCTIONS: Readonly<Record<string, (text: unknown, chars: unknown) => string>> = {
  "str.strip": (text, chars) => strip(text, chars, true, true),
  "str.lstrip": (text, chars) => strip(text, chars, true, false),
  "str.rstrip": (text, chars) => strip(text, chars, false, true),
};

function strip(text: unknown, chars: unknown, start: boolean, end: boolean): string {
  if (typeof text !== "string") throw new TypeError("strip() needs a string");
  if (chars !== null && chars !== undefined && typeof chars !== "string") {
    throw new TypeError("strip() takes a string of characters");
  }
  const drops = typeof chars === "string" ? new Set(chars) : undefined;
  const dropped = (char: string) => (drops ? drops.has(char) : char.trim() === "");
  const all = Array.from(text);
  let from = 0;
  let to = all.length;
  while (start && from < to && dropped(all[from] ?? "")) from++;
  while (end && to > from && dropped(all[to - 1] ?? "")) to--;
  return all.slice(from, to).join("");
}
