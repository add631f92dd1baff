import { R1Error } from "../errors.ts";
import { isObject, kindOf } from "./fields.ts";

export type Role = "system" | "user" | "assistant";

export interface ChatMessage {
  readonly role: Role;
  readonly content: string;
}

const ROLES: readonly unknown[] = ["system", "user", "assistant"] satisfies Role[];
const MAX_MESSAGES = 1_000;
const MAX_CONTENT_CHARS = 4_000_000;

/**
 * Checks a conversation that came as JSON; fields other than `role` and `content` are left out.
 * @throws R1Error E_MESSAGES naming the message's index and field
 */
export function parseMessages(json: unknown): ChatMessage[] {
  if (!Array.isArray(json)) throw new R1Error("E_MESSAGES", `messages is ${kindOf(json)}; expected a list`);
  if (json.length === 0) throw new R1Error("E_MESSAGES", "messages is empty; expected at least one message");
  if (json.length > MAX_MESSAGES) {
    throw new R1Error("E_MESSAGES", `messages has ${json.length} entries; the limit is ${MAX_MESSAGES}`);
  }
  let chars = 0;
  return json.map((entry: unknown, index) => {
    if (!isObject(entry)) throw wrong(index, "", entry, "an object with role and content");
    const { role, content } = entry;
    if (!isRole(role)) throw wrong(index, ".role", role, ROLES.join(", "));
    if (typeof content !== "string") throw wrong(index, ".content", content, "a string");
    chars += content.length;
    if (chars > MAX_CONTENT_CHARS) {
      const message = `messages[${index}].content brings the conversation to ${chars} characters; the limit is ${MAX_CONTENT_CHARS}`;
      throw new R1Error("E_MESSAGES", message, { index, field: "content" });
    }
    return { role, content };
  });
}

function isRole(value: unknown): value is Role {
  return ROLES.includes(value);
}

function wrong(index: number, field: string, found: unknown, expected: string): R1Error {
  const message = `messages[${index}]${field} is ${kindOf(found)}; expected ${expected}`;
  return new R1Error("E_MESSAGES", message, { index, field: field.slice(1) });
}
