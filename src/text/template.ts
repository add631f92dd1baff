import { R1Error } from "../errors.ts";
import { asOptionalObject, isObject, wrongField } from "./fields.ts";
import type { ChatMessage } from "./messages.ts";
import type { TemplateRequest } from "./render-template.ts";
import { templateMessages } from "./template-messages.ts";

/** Published chat templates have 0.3 to 20 thousand characters. */
export const MAX_TEMPLATE_CHARS = 262_144;
const MAX_TEMPLATES = 64;

/** What a rendering needs besides the template and the messages. */
export type RenderOptions = Omit<TemplateRequest, "template" | "messages">;

/** A checkpoint's chat template: how a conversation is written out for its model. */
export class ChatTemplate {
  readonly source: string;

  /** @throws R1Error E_TEMPLATE when it is too large */
  constructor(source: string) {
    if (source.length > MAX_TEMPLATE_CHARS) {
      throw new R1Error(
        "E_TEMPLATE",
        `the chat template has ${source.length} characters; the limit is ${MAX_TEMPLATE_CHARS}`,
      );
    }
    this.source = source;
  }

  /** What a `TemplateHost` needs to render the messages. */
  request(messages: readonly ChatMessage[], options: RenderOptions): TemplateRequest {
    return { ...options, template: this.source, messages: templateMessages(messages, this.source) };
  }
}

/** @throws R1Error E_TEMPLATE_MISSING */
export function requireTemplate(template: ChatTemplate | undefined): ChatTemplate {
  if (template) return template;
  const message =
    "the checkpoint has no chat template; expected chat_template in tokenizer_config.json or chat_template.jinja";
  throw new R1Error("E_TEMPLATE_MISSING", message);
}

/**
 * Finds a checkpoint's template: the text of `chat_template.jinja`, else `chat_template` of `tokenizer_config.json`,
 * which is a string or a list of named ones of which `default` is taken.
 * @throws R1Error E_TEMPLATE naming the field
 */
export function findTemplate(tokenizerConfig: unknown, jinjaFile?: string): ChatTemplate | undefined {
  if (jinjaFile !== undefined) return new ChatTemplate(jinjaFile);
  const file = "tokenizer_config.json";
  const value = asOptionalObject("E_TEMPLATE", file, tokenizerConfig)["chat_template"];
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return new ChatTemplate(value);
  if (!Array.isArray(value) || value.length > MAX_TEMPLATES) {
    throw wrongField("E_TEMPLATE", `${file} chat_template`, value, `a string or a list of at most ${MAX_TEMPLATES}`);
  }
  const entry: unknown = value.find((candidate: unknown) => isObject(candidate) && candidate["name"] === "default");
  if (entry === undefined) return undefined;
  const template = isObject(entry) ? entry["template"] : undefined;
  if (typeof template !== "string")
    throw wrongField("E_TEMPLATE", `${file} chat_template.default`, template, "a string");
  return new ChatTemplate(template);
}
