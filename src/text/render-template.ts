import { Environment, Interpreter, parse, tokenize } from "@huggingface/jinja";
import type { ChatMessage } from "./messages.ts";
import { STRIP_FUNCTIONS, useStripFunctions } from "./python-strip.ts";
import { strftime } from "./strftime.ts";

/** Values that a template may be given and that can be sent to a worker. */
export type TemplateValue =
  | string
  | number
  | boolean
  | null
  | readonly TemplateValue[]
  | { readonly [key: string]: TemplateValue };

/** Everything that one rendering needs; plain data, so that it can be sent to a worker. */
export interface TemplateRequest {
  readonly template: string;
  readonly messages: readonly ChatMessage[];
  readonly addGenerationPrompt: boolean;
  readonly bosToken?: string | undefined;
  readonly eosToken?: string | undefined;
  /** Further variables, such as `enable_thinking`. */
  readonly extra?: Readonly<Record<string, TemplateValue>>;
  /** What `strftime_now` takes for now, in milliseconds since 1970; the clock by default. */
  readonly now?: number;
}

export type TemplateResult =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly message: string };

/** Limit of Jinja's sandbox (`jinja2.sandbox.MAX_RANGE`), in which transformers renders templates. */
const MAX_RANGE = 100_000;
const MAX_RENDERED_CHARS = 16_000_000;

/**
 * Renders a chat template as transformers does: Jinja2 with `trim_blocks` and `lstrip_blocks`, `raise_exception`,
 * `strftime_now`. Never throws. A hostile template can still run forever or take all memory here: one from outside
 * belongs in a worker (`createWorkerTemplateHost`).
 */
export function renderTemplate(request: TemplateRequest): TemplateResult {
  try {
    const program = parse(tokenize(request.template, { lstrip_blocks: true, trim_blocks: true }));
    useStripFunctions(program);
    const environment = new Environment();
    for (const [name, value] of Object.entries(variables(request))) environment.set(name, value);
    const text: unknown = new Interpreter(environment).run(program).value;
    if (typeof text !== "string") return { ok: false, message: "the template gave no text" };
    if (text.length > MAX_RENDERED_CHARS) {
      return { ok: false, message: `the text has ${text.length} characters; the limit is ${MAX_RENDERED_CHARS}` };
    }
    return { ok: true, text };
  } catch (error) {
    return { ok: false, message: error instanceof Error ? error.message : String(error) };
  }
}

function variables(request: TemplateRequest): Record<string, unknown> {
  const { messages, addGenerationPrompt, bosToken, eosToken, extra, now } = request;
  return {
    ...extra,
    messages,
    add_generation_prompt: addGenerationPrompt,
    ...(bosToken === undefined ? {} : { bos_token: bosToken }),
    ...(eosToken === undefined ? {} : { eos_token: eosToken }),
    true: true,
    false: false,
    none: null,
    True: true,
    False: false,
    None: null,
    range: boundedRange,
    raise_exception: (message: unknown) => {
      throw new Error(String(message));
    },
    strftime_now: (format: unknown) => strftime(now === undefined ? new Date() : new Date(now), String(format)),
    ...STRIP_FUNCTIONS,
  };
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value);
}

/** Python's `range`, with the sandbox's limit. */
function boundedRange(first: unknown, second?: unknown, third?: unknown): number[] {
  const numbers = [first, second, third].filter((value) => isWhole(value));
  const given = [first, second, third].filter((value) => value !== undefined);
  if (numbers.length !== given.length) throw new TypeError("range() takes whole numbers");
  const [a = 0, b, step = 1] = numbers;
  const [start, stop] = b === undefined ? [0, a] : [a, b];
  if (step === 0) throw new Error("range() step must not be zero");
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (length > MAX_RANGE) throw new Error(`range too big: ${length} numbers; the limit is ${MAX_RANGE}`);
  return Array.from({ length }, (_, i) => start + i * step);
}
