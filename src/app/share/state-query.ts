import * as v from "valibot";
import { pack, unpack, UnpackError } from "./packed.ts";
import type { UnpackFailure } from "./packed.ts";

/** Longer texts go into the packed part. */
const MAX_PLAIN_CHARACTERS = 200;
const PACKED_KEY = "s";

/** The schema of each key that a link may have. */
export type StateEntries<State extends object> = {
  readonly [K in keyof State]-?: v.GenericSchema<unknown, NonNullable<State[K]>>;
};

/** Why not all of a link could be used. */
export type LinkProblem =
  /** The packed part, and with it all that it held. */
  | { readonly kind: UnpackFailure }
  /** These keys, which keep their usual values. */
  | { readonly kind: "fields"; readonly fields: readonly string[] };

export interface DecodedState<State extends object> {
  /** What could be read; keys that the entries do not name are dropped. */
  readonly state: Partial<State>;
  readonly problem: LinkProblem | undefined;
}

/**
 * State for an address: numbers, yes and no, and short texts as keys that people can read and change, all else packed
 * under one key. Keys that are undefined are left out.
 */
export async function encodeState(state: object): Promise<URLSearchParams> {
  const query = new URLSearchParams();
  const rest = new Map<string, unknown>();
  for (const [key, value] of Object.entries(state) as readonly (readonly [string, unknown])[]) {
    const plain = plainText(value);
    if (plain !== undefined) query.set(key, plain);
    else if (value !== undefined) rest.set(key, value);
  }
  if (rest.size > 0) query.set(PACKED_KEY, await pack(Object.fromEntries(rest)));
  return query;
}

function plainText(value: unknown): string | undefined {
  if (typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))) return String(value);
  // An address would replace a lone surrogate, which JSON escapes.
  const isPlain = typeof value === "string" && value.length <= MAX_PLAIN_CHARACTERS && !/\p{Surrogate}/u.test(value);
  return isPlain ? value : undefined;
}

/** Reads an address that may come from anyone. Never throws for what it says. */
export async function decodeState<State extends object>(
  query: URLSearchParams,
  entries: StateEntries<State>,
): Promise<DecodedState<State>> {
  const { json, failure } = await unpacked(query.get(PACKED_KEY));
  const fields: string[] = [];
  const state: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries<v.GenericSchema>(entries)) {
    const text = query.get(key);
    const found = text === null ? (Object.hasOwn(json, key) ? [json[key]] : []) : readings(text);
    if (found.length === 0) continue;
    const parsed = found.map((value) => v.safeParse(schema, value)).find(({ success }) => success);
    if (parsed) state[key] = parsed.output;
    else fields.push(key);
  }
  const problem: LinkProblem | undefined = failure
    ? { kind: failure }
    : fields.length > 0
      ? { kind: "fields", fields }
      : undefined;
  return { state: isOf(state, entries) ? state : {}, problem };
}

/** Whether the entries, which each value has passed, name every key. */
function isOf<State extends object>(state: object, entries: StateEntries<State>): state is Partial<State> {
  return Object.keys(state).every((key) => key in entries);
}

/** A plain key's text is itself, or the number or truth that it spells: which, the schema decides. */
function readings(text: string): readonly unknown[] {
  if (text === "true" || text === "false") return [text, text === "true"];
  const number = Number(text);
  return text.trim() !== "" && Number.isFinite(number) ? [text, number] : [text];
}

async function unpacked(
  text: string | null,
): Promise<{ readonly json: Readonly<Record<string, unknown>>; readonly failure?: UnpackFailure }> {
  if (text === null) return { json: {} };
  try {
    return { json: await unpack(text) };
  } catch (error) {
    if (!(error instanceof UnpackError)) throw error;
    return { json: {}, failure: error.reason };
  }
}
