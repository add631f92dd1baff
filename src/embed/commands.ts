import * as v from "valibot";
import { LANGUAGES } from "../app/i18n/texts.ts";
import { settingsSchema } from "../app/playground/settings.ts";
import { THEMES } from "../app/preferences.ts";
import { NAMESPACE, VERSION } from "./protocol.ts";

/** The longest prompt that a page may set. */
const MAX_PROMPT = 8000;

const head = {
  ns: v.literal(NAMESPACE),
  v: v.literal(VERSION),
  id: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(Number.MAX_SAFE_INTEGER)),
};

/** A command without parameters. */
const bare = <Type extends string>(type: Type) => v.object({ ...head, type: v.literal(type) });
const having = <Type extends string, Entries extends v.ObjectEntries>(type: Type, entries: Entries) =>
  v.object({ ...head, type: v.literal(type), payload: v.object(entries) });

const commandSchema = v.variant("type", [
  bare("hello"),
  bare("start"),
  bare("stop"),
  bare("getState"),
  bare("destroy"),
  having("setPrompt", { text: v.pipe(v.string(), v.maxLength(MAX_PROMPT)) }),
  having("setParams", v.partial(settingsSchema).entries),
  having("setTheme", { theme: v.picklist(THEMES) }),
  having("setLang", { lang: v.picklist(LANGUAGES) }),
]);

export type Command = v.InferOutput<typeof commandSchema>;

/** A command, from a page that may say anything. @returns undefined for what is none */
export function parseCommand(data: unknown): Command | undefined {
  const parsed = v.safeParse(commandSchema, data);
  return parsed.success ? parsed.output : undefined;
}

/** The id under which a message that is no command can still be refused. */
export function idOf(data: unknown): number {
  const parsed = v.safeParse(v.object({ id: head.id }), data);
  return parsed.success ? parsed.output.id : 0;
}
