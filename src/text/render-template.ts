import { TemplateError } from "./jinja/error.ts";
import { fromJson } from "./jinja/from-json.ts";
import type { Json } from "./jinja/from-json.ts";
import { globals } from "./jinja/globals.ts";
import { render } from "./jinja/interpreter.ts";
import { parse } from "./jinja/parser.ts";
import { plain, spansOf } from "./jinja/text.ts";
import { Dict, List } from "./jinja/values.ts";
import type { Value } from "./jinja/values.ts";

/** Values that a template may be given and that can be sent to a worker. */
export type TemplateValue = Json;

/** A message as a template sees it: `role`, and what is said. */
export type TemplateMessage = { readonly role: string } & { readonly [field: string]: Json | undefined };

/** Everything that one rendering needs; plain data, so that it can be sent to a worker. */
export interface TemplateRequest {
  readonly template: string;
  readonly messages: readonly TemplateMessage[];
  readonly addGenerationPrompt: boolean;
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  /** Further variables, such as `enable_thinking`. */
  readonly extra?: Readonly<Record<string, TemplateValue>>;
  /** What `strftime_now` takes for now, in milliseconds since 1970; the clock by default. */
  readonly now?: number;
}

/** What a template has written. */
export interface RenderedTemplate {
  readonly text: string;
  /** Start and end, in UTF-16 units, of each part that the messages say and not the template, in order. */
  readonly spans: readonly number[];
}

export type TemplateResult =
  | ({ readonly ok: true } & RenderedTemplate)
  | { readonly ok: false; readonly message: string };

const MAX_RENDERED_CHARS = 16_000_000;

/**
 * Renders a chat template as transformers does: Jinja2's immutable sandbox with `trim_blocks`, `lstrip_blocks`, loop
 * controls, `generation`, `raise_exception`, `strftime_now`. Never throws. A hostile template can still run forever or
 * take all memory here: one from outside belongs in a worker (`createWorkerTemplateHost`).
 */
export function renderTemplate(request: TemplateRequest): TemplateResult {
  try {
    const text = render(parse(request.template), variables(request));
    const string = plain(text);
    if (string.length > MAX_RENDERED_CHARS) {
      return { ok: false, message: `the text has ${string.length} characters; the limit is ${MAX_RENDERED_CHARS}` };
    }
    return { ok: true, text: string, spans: spansOf(text) };
  } catch (error) {
    return { ok: false, message: sentenceOf(error) };
  }
}

/** JavaScript says of a template that asks for too much no more than that its own stack or memory is full. */
function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof TemplateError) return error.message;
  if (error.name === "InternalError" || /call stack|recursion/i.test(error.message)) {
    return "the template nests its tags or expressions too deeply, or calls itself without an end";
  }
  if (error instanceof RangeError) return "the template makes a text, a list or a number that is too large";
  return error.message;
}

function variables({
  messages,
  addGenerationPrompt,
  bosToken,
  eosToken,
  extra = {},
  now,
}: TemplateRequest): Map<string, Value> {
  const all = globals(now);
  // Transformers passes these two always, None where there are none.
  for (const name of ["tools", "documents"]) all.set(name, null);
  if (bosToken !== undefined) all.set("bos_token", bosToken);
  if (eosToken !== undefined) all.set("eos_token", eosToken);
  for (const [name, value] of Object.entries(extra)) all.set(name, fromJson(value));
  all.set("messages", new List(messages.map(message)));
  all.set("add_generation_prompt", addGenerationPrompt);
  return all;
}

/** What messages say is the reader's; their roles are the program's, of which templates write tokens. */
function message(fields: TemplateMessage): Value {
  const dict = new Dict();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) dict.set(name, fromJson(value, name !== "role"));
  }
  return dict;
}
