import { isR1Error, R1Error } from "../../errors.ts";
import { promptOpensThink } from "../../text/channels.ts";
import { buildPrompt } from "../../text/chat.ts";
import type { Prompt } from "../../text/chat.ts";
import type { TextAssets } from "../../text/load-text.ts";
import type { ChatMessage } from "../../text/messages.ts";
import { THINK_START } from "../../text/tags.ts";
import type { TemplateHost } from "../../text/template-host.ts";
import { requireTemplate } from "../../text/template.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { PromptInput } from "../data/rows.ts";

/** A prompt as the model reads it. */
export interface WrittenPrompt {
  readonly ids: readonly number[];
  /** What the template has already written of the completion (`<think>\n`), for rewards that look at the whole of it. */
  readonly opening: string;
  readonly startsInThink: boolean;
}

/** Writes prompts out for the model and says what the template has begun of the reply. */
export interface PromptWriter {
  /** Token ids of a user's message in its template. */
  readonly ids: (message: string) => readonly number[];
  /**
   * A message or a conversation in the template. A conversation that ends in an assistant's turn is gone on with, as TRL
   * and transformers (`continue_final_message`) do.
   * @throws R1Error E_TEMPLATE
   */
  readonly write: (prompt: PromptInput) => Promise<WrittenPrompt>;
  /** Of a reply to a user's message. */
  readonly opening: string;
  readonly startsInThink: boolean;
  /** Tokens of the template around a user's message. */
  readonly around: number;
  /** What the template writes after an assistant's reply (`<|im_end|>`), without white space; empty where it is nothing. */
  readonly turnEnd: string;
}

/** A thought that a completion opens itself; the line break after the tag belongs to the opening, as R1 writes it. */
const OWN_OPENING = new RegExp(`^\\s*${THINK_START}(?:\\r?\\n)?`);

/** Stands for the message while the template is rendered once for all; no template changes it. */
const MARK = "R1-PLAYGROUND-MESSAGE";
const REPLY = "R1-PLAYGROUND-REPLY";

/**
 * Rendering a template costs a message to another process, so it is rendered once around a mark that the messages
 * then take the place of; only conversations are rendered each, and kept.
 * @throws R1Error E_TOKENIZER_MISSING, E_TEMPLATE_MISSING, E_TEMPLATE for a template that changes or repeats messages
 */
export async function createPromptWriter(
  assets: TextAssets,
  tokenizer: Tokenizer,
  host: TemplateHost,
): Promise<PromptWriter> {
  const render = (messages: readonly ChatMessage[], addGenerationPrompt = true) =>
    buildPrompt({ messages, template: assets.template, tokenizer, host, addGenerationPrompt });
  const prompt = await render([{ role: "user", content: MARK }]);
  const parts = prompt.text.split(MARK);
  const [before, after] = parts;
  if (before === undefined || after === undefined || parts.length !== 2) {
    throw new R1Error(
      "E_TEMPLATE",
      "the chat template does not write the user's message exactly once, as training needs",
    );
  }
  const opening = openingOf(after, prompt.startsInThink);
  const { startsInThink } = prompt;
  // What messages say is text, as in a chat: a question that names a token does not become one.
  const encode = (text: string, plain: readonly number[]): number[] =>
    tokenizer.encode(text, { plain, template: requireTemplate(assets.template).source });
  const ids = (message: string): readonly number[] => {
    // Data that were made for a model without this template end their prompts with the opening themselves.
    const asked = opening !== "" && message.endsWith(opening) ? message.slice(0, -opening.length) : message;
    return encode(before + asked + after, [before.length, before.length + asked.length]);
  };
  const conversations = new WeakMap<readonly ChatMessage[], WrittenPrompt>();

  const writeConversation = async (messages: readonly ChatMessage[]): Promise<WrittenPrompt> => {
    const last = messages.at(-1);
    if (last?.role !== "assistant") {
      const written = await render(messages);
      return { ...written, opening: openingOf(written.text, written.startsInThink) };
    }
    const { text, plain } = await begunReply(messages, last.content, render);
    const begun = encode(text, plain);
    const opens = promptOpensThink(begun, tokenizer);
    return { ids: begun, opening: openingOf(text, opens), startsInThink: opens };
  };

  return {
    ids,
    opening,
    startsInThink,
    around: ids("").length,
    turnEnd: await turnEndOf(render),
    write: async (input) => {
      if (typeof input === "string") return { ids: ids(input), opening, startsInThink };
      const known = conversations.get(input);
      if (known) return known;
      const { ids: written, ...rest } = await writeConversation(input);
      const kept = { ids: written, opening: rest.opening, startsInThink: rest.startsInThink };
      conversations.set(input, kept);
      return kept;
    },
  };
}

type Render = (
  messages: readonly ChatMessage[],
  addGenerationPrompt?: boolean,
) => Promise<Pick<Prompt, "text" | "spans" | "startsInThink">>;

interface BegunReply {
  readonly text: string;
  /** Start and end of each part that earlier messages say; the reply itself is the model's, and its tags are tokens. */
  readonly plain: readonly number[];
}

function openingOf(text: string, startsInThink: boolean): string {
  const opened = text.lastIndexOf(THINK_START);
  return startsInThink && opened >= 0 ? text.slice(opened) : "";
}

/** A conversation up to the end of its last message, a reply that has been begun; as transformers cuts it. */
async function begunReply(messages: readonly ChatMessage[], content: string, render: Render): Promise<BegunReply> {
  const begun = content.trim();
  if (begun !== "") {
    const { text, spans } = await render(messages, false);
    const at = text.lastIndexOf(begun);
    const whole = content.trimStart();
    if (at >= 0) {
      // Spans come in order, by twos.
      const beyond = spans.findIndex((end, i) => i % 2 === 1 && end > at);
      const plain = beyond < 0 ? spans : spans.slice(0, beyond - 1);
      return { text: text.slice(0, at) + (text.startsWith(whole, at) ? whole : begun), plain };
    }
  }
  // The template left something of it out, as R1's does with a thought that has ended.
  const { text, spans, startsInThink } = await render(messages.slice(0, -1));
  return { text: text + withoutOpening(content, openingOf(text, startsInThink)), plain: spans };
}

/** @returns empty for a template that cannot write a reply alone */
async function turnEndOf(render: Render): Promise<string> {
  try {
    const conversation = [
      { role: "user", content: MARK },
      { role: "assistant", content: REPLY },
    ] as const;
    const { text } = await render(conversation, false);
    const at = text.lastIndexOf(REPLY);
    return at < 0 ? "" : text.slice(at + REPLY.length).trim();
  } catch (error) {
    if (isR1Error(error) && error.code === "E_TEMPLATE") return "";
    throw error;
  }
}

/**
 * What is left of a completion to be written after the template's opening (`<think>\n`): one that opens its thought
 * itself, however it is spaced, opens it once.
 * @param opening empty where the template opens nothing
 */
export function withoutOpening(completion: string, opening: string): string {
  if (opening === "") return completion;
  let rest = completion;
  for (;;) {
    if (rest.startsWith(opening)) {
      rest = rest.slice(opening.length);
      continue;
    }
    const own = OWN_OPENING.exec(rest);
    if (!own) return rest;
    rest = rest.slice(own[0].length);
  }
}
