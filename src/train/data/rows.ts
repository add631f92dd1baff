import { isR1Error, R1Error } from "../../errors.ts";
import { parseMessages } from "../../text/messages.ts";
import type { ChatMessage } from "../../text/messages.ts";
import { THINK_END, THINK_START } from "../../text/tags.ts";
import type { DatasetRow } from "./jsonl.ts";

/** What a model is asked: a user's message, or a conversation that it goes on with. */
export type PromptInput = string | readonly ChatMessage[];

/** A row's prompt and the completion that is taught. */
export interface Demonstration {
  readonly prompt: PromptInput;
  readonly completion: string;
}

function rowError({ line }: DatasetRow, file: string, field: string, says: string, cause?: unknown): R1Error {
  return new R1Error("E_FORMAT", `${file}, line ${line}: ${field} is ${says}`, { file, line, field }, { cause });
}

function found(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  return Array.isArray(value) ? "a list" : `a ${typeof value}`;
}

/** @throws R1Error E_FORMAT naming file, line and field, and what is wrong with which message */
function messagesOf(row: DatasetRow, field: string, file: string): readonly ChatMessage[] {
  const value = row.fields[field];
  if (!Array.isArray(value)) throw rowError(row, file, field, `${found(value)}; expected a list of messages`);
  try {
    const messages = parseMessages(value);
    // A chat may send them, and a reply may have called a tool instead; in data a question of nothing is a mistake.
    const empty = messages.findIndex(({ role, absent }) => absent !== undefined && role !== "assistant");
    if (empty < 0) return messages;
    const { role, absent } = messages[empty] ?? {};
    throw new R1Error("E_MESSAGES", `messages[${empty}].content is ${absent}; expected text, as it is the ${role}'s`);
  } catch (cause) {
    if (!isR1Error(cause)) throw cause;
    throw rowError(row, file, field, `a list, but not one of messages: ${cause.message}`, cause);
  }
}

/**
 * A row's prompt, in TRL's formats: text, or messages. A single user's message is the same as its text.
 * @throws R1Error E_FORMAT naming file, line and field
 */
export function promptField(row: DatasetRow, file: string): PromptInput {
  const { prompt } = row.fields;
  if (typeof prompt === "string") return prompt;
  if (!Array.isArray(prompt)) {
    throw rowError(row, file, "prompt", `${found(prompt)}; expected a string or a list of messages`);
  }
  return simplest(messagesOf(row, "prompt", file));
}

function simplest(messages: readonly ChatMessage[]): PromptInput {
  const [only] = messages;
  return messages.length === 1 && only?.role === "user" ? only.content : messages;
}

/**
 * A row of supervised fine-tuning: `prompt` and `completion`, each text or messages, or `messages` whose last one, the
 * assistant's, is the completion.
 * @throws R1Error E_FORMAT naming file, line and field
 */
export function demonstrationOf(row: DatasetRow, file: string): Demonstration {
  const { fields } = row;
  if (fields["messages"] !== undefined && fields["prompt"] === undefined) {
    const messages = messagesOf(row, "messages", file);
    const reply = messages.at(-1);
    if (reply?.role !== "assistant" || messages.length < 2) {
      const last = `messages whose last one is ${reply?.role ?? "nobody"}'s`;
      throw rowError(row, file, "messages", `${messages.length} ${last}; expected a reply of the assistant at the end`);
    }
    return {
      prompt: simplest(messages.slice(0, -1)),
      completion: withThought(row, file, "messages", reply.content),
    };
  }
  return { prompt: promptField(row, file), completion: completionField(row, file) };
}

function completionField(row: DatasetRow, file: string): string {
  const { completion } = row.fields;
  if (typeof completion === "string") return completion;
  if (!Array.isArray(completion)) {
    throw rowError(row, file, "completion", `${found(completion)}; expected a string or a list of messages`);
  }
  const messages = messagesOf(row, "completion", file);
  const [reply] = messages;
  if (reply?.role !== "assistant" || messages.length > 1) {
    const roles = messages.slice(0, 8).map(({ role }) => role);
    const says = `a list of ${messages.length} messages (${roles.join(", ")}); expected one, the assistant's`;
    throw rowError(row, file, "completion", says);
  }
  return withThought(row, file, "completion", reply.content);
}

/** Fields of a reply in which servers and datasets keep the thought apart. */
const THOUGHT_FIELDS = ["reasoning_content", "reasoning", "thinking"];

/** A reply's content with the thought that its message holds beside it, written as R1 writes it. */
function withThought(row: DatasetRow, file: string, field: string, content: string): string {
  const list = row.fields[field];
  const message: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  const fields = new Map<string, unknown>(
    Object.entries(typeof message === "object" && message !== null ? message : {}),
  );
  const name = THOUGHT_FIELDS.find((one) => (fields.get(one) ?? null) !== null);
  if (name === undefined) return content;
  const thought = fields.get(name);
  if (typeof thought !== "string") {
    throw rowError(row, file, field, `a list whose last message has ${found(thought)} as ${name}; expected text`);
  }
  // Both at once would be two thoughts.
  if (thought.trim() === "" || content.includes(THINK_END)) return content;
  return `${THINK_START}\n${thought.trim()}\n${THINK_END}\n\n${content.trimStart()}`;
}

/** A prompt in one piece, for a reader. */
export function promptText(prompt: PromptInput): string {
  if (typeof prompt === "string") return prompt;
  return prompt.map(({ role, content }) => `${role}: ${content}`).join("\n\n");
}
