import * as v from "valibot";
import type { ModelSource } from "../engine/protocol.ts";
import { LANGUAGES } from "./i18n/texts.ts";
import { fetchShipped, parseShipped } from "./shipped-files.ts";
import { partialSettingsSchema } from "./playground/settings.ts";

const LIST = "models/index.json";

const inEachLanguage = v.object(v.entriesFromList(LANGUAGES, v.string()));

/** An entry of `public/models/index.json`: a model that comes with the page, in `public/models/<folder>/`. */
const listedSchema = v.object({
  folder: v.pipe(v.string(), v.regex(/^[\w.-]+$/)),
  name: v.string(),
  /** What loading it downloads. */
  bytes: v.pipe(v.number(), v.integer(), v.minValue(1)),
  note: inEachLanguage,
  /** Questions to try; the first stands ready to be sent. */
  examples: v.optional(v.pipe(v.array(inEachLanguage), v.maxLength(12))),
  /** The only one, as older lists have it. */
  example: v.optional(inEachLanguage),
  /** Where they differ from the page's defaults and the model's own recommendation. */
  settings: partialSettingsSchema,
});

const builtInSchema = v.pipe(
  listedSchema,
  v.transform(({ example, examples, ...model }) => ({ ...model, examples: examples ?? (example ? [example] : []) })),
);

export type BuiltInModel = v.InferOutput<typeof builtInSchema>;

/**
 * The models that come with the page, the first of which is loaded at once.
 * @throws R1Error E_HTTP, E_JSON
 */
export async function fetchBuiltInModels(): Promise<readonly BuiltInModel[]> {
  return parseBuiltInModels(await fetchShipped(LIST));
}

/** @throws R1Error E_JSON naming the field */
export function parseBuiltInModels(json: string): readonly BuiltInModel[] {
  return parseShipped(v.array(builtInSchema), json, LIST);
}

/** Where a built-in model is, whatever path the page is served under. */
export function builtInSource({ folder }: BuiltInModel): ModelSource {
  return { kind: "url", baseUrl: new URL(`models/${folder}/`, document.baseURI).href };
}
