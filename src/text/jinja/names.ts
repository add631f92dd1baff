import { isObject } from "../fields.ts";

/** Every name that a part of a template reads, wherever in it. */
export function namesIn(part: unknown, found: Set<string>): void {
  if (Array.isArray(part)) {
    for (const one of part) namesIn(one, found);
  } else if (isObject(part)) {
    if (part["kind"] === "name" && typeof part["name"] === "string") found.add(part["name"]);
    else for (const child of Object.values(part)) if (typeof child === "object") namesIn(child, found);
  }
}
