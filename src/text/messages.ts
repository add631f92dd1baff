import { R1Error } from "../errors.ts";
import { isObject, kindOf } from "./fields.ts";
import type { Json } from "./jinja/from-json.ts";

/** As transformers' templates and OpenAI-style clients name who speaks; `developer` is the newer name of `system`. */
export type Role = "system" | "developer" | "user" | "assistant" | "tool";

export interface TextPart {
  readonly type: "text";
  readonly text: string;
}

export interface ChatMessage {
  readonly role: Role;
  /** What is said; parts of a list are joined with newlines, as llama.cpp and vLLM do. Empty where there is none. */
  readonly content: string;
  /** The content as it came in parts, for templates that go through them. */
  readonly parts?: readonly TextPart[];
  /** There was none: null, as in a reply that only calls tools, or no field at all. */
  readonly absent?: "null" | "missing";
  /** Further fields that templates know, as they came. */
  readonly name?: string;
  readonly reasoning_content?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly [field: string]: Json }[];
}

const ROLES: readonly unknown[] = ["system", "developer", "user", "assistant", "tool"] satisfies Role[];
/** Types of parts that hold text: chat completions' and responses'. */
const TEXT_TYPES: readonly unknown[] = ["text", "input_text", "output_text"];
const MAX_MESSAGES = 1_000;
const MAX_CONTENT_CHARS = 4_000_000;
const MAX_DEPTH = 64;

/**
 * Checks a conversation that came as JSON, as transformers and OpenAI-style clients write it: content is a string, a list of
 * text parts, null or missing. Fields that no template knows are left out.
 * @throws R1Error E_MESSAGES naming the message's index and field; parts that are no text (images, sound) are refused
 */
export function parseMessages(json: unknown): ChatMessage[] {
  if (!Array.isArray(json)) throw new R1Error("E_MESSAGES", `messages is ${kindOf(json)}; expected a list`);
  if (json.length === 0) throw new R1Error("E_MESSAGES", "messages is empty; expected at least one message");
  if (json.length > MAX_MESSAGES) {
    throw new R1Error("E_MESSAGES", `messages has ${json.length} entries; the limit is ${MAX_MESSAGES}`);
  }
  let chars = 0;
  return json.map((entry: unknown, index) => {
    const message = parseMessage(entry, index);
    chars += message.content.length + (message.reasoning_content?.length ?? 0);
    if (chars > MAX_CONTENT_CHARS) {
      const sentence = `messages[${index}].content brings the conversation to ${chars} characters; the limit is ${MAX_CONTENT_CHARS}`;
      throw new R1Error("E_MESSAGES", sentence, { index, field: "content" });
    }
    return message;
  });
}

/**
 * One message, as {@link parseMessages} checks it.
 * @param index its place in the list, for messages of errors
 * @throws R1Error E_MESSAGES
 */
export function parseMessage(entry: unknown, index: number): ChatMessage {
  if (!isObject(entry)) throw wrong(index, "", entry, "an object with role and content");
  const { role, tool_calls: calls, function_call: oldCall } = entry;
  if (!isRole(role)) throw wrong(index, ".role", role, ROLES.join(", "));
  if (oldCall !== undefined && oldCall !== null) {
    throw wrong(index, ".function_call", oldCall, "tool_calls, which has taken its place");
  }
  return {
    role,
    ...parseContent(entry, index),
    ...optionalText(entry, "name", index),
    ...optionalText(entry, "reasoning_content", index),
    ...optionalText(entry, "tool_call_id", index),
    ...(calls === undefined || calls === null ? {} : { tool_calls: parseToolCalls(calls, index) }),
  };
}

function parseContent(entry: Readonly<Record<string, unknown>>, index: number) {
  const { content } = entry;
  if (content === undefined) return { content: "", absent: "missing" } as const;
  if (content === null) return { content: "", absent: "null" } as const;
  if (typeof content === "string") return { content };
  if (!Array.isArray(content)) throw wrong(index, ".content", content, "a string, a list of text parts or null");
  const parts = content.map((part: unknown, i): TextPart => {
    const field = `.content[${i}]`;
    if (typeof part === "string") return { type: "text", text: part };
    if (!isObject(part)) throw wrong(index, field, part, "an object with type and text");
    const { type, text } = part;
    if (!TEXT_TYPES.includes(type))
      throw wrong(index, `${field}.type`, type, `${TEXT_TYPES.join(", ")}: only text is supported`);
    if (typeof text !== "string") throw wrong(index, `${field}.text`, text, "a string");
    return { type: "text", text };
  });
  return { content: parts.map(({ text }) => text).join("\n"), parts };
}

function optionalText<Name extends "name" | "reasoning_content" | "tool_call_id">(
  entry: Readonly<Record<string, unknown>>,
  name: Name,
  index: number,
): Partial<Record<Name, string>> {
  const value = entry[name];
  if (value === undefined || value === null) return {};
  if (typeof value !== "string") throw wrong(index, `.${name}`, value, "a string");
  const found: Partial<Record<Name, string>> = {};
  found[name] = value;
  return found;
}

function parseToolCalls(value: unknown, index: number): readonly { readonly [field: string]: Json }[] {
  if (!Array.isArray(value)) throw wrong(index, ".tool_calls", value, "a list");
  return value.map((call: unknown, i) => {
    if (!isCall(call)) throw wrong(index, `.tool_calls[${i}]`, call, "an object with a function");
    return call;
  });
}

function isCall(value: unknown): value is { readonly [field: string]: Json } {
  return isObject(value) && isJson(value, 0);
}

/** Whether a value is JSON's, and not nested too deeply for what goes through it. */
export function isJson(value: unknown, depth: number): value is Json {
  if (depth > MAX_DEPTH) return false;
  if (typeof value !== "object" || value === null) return value !== undefined && typeof value !== "function";
  return Object.values(value).every((item) => isJson(item, depth + 1));
}

function isRole(value: unknown): value is Role {
  return ROLES.includes(value);
}

function wrong(index: number, field: string, found: unknown, expected: string): R1Error {
  const message = `messages[${index}]${field} is ${kindOf(found)}; expected ${expected}`;
  return new R1Error("E_MESSAGES", message, { index, field: field.slice(1) });
}
