import * as v from "valibot";
import { playgroundEntries } from "../app/share/playground-entries.ts";
import type { PlaygroundShare } from "../app/share/playground-entries.ts";
import { preferencesOf } from "../app/share/preferences-query.ts";
import { decodeState } from "../app/share/state-query.ts";
import type { LinkProblem } from "../app/share/state-query.ts";
import type { Preferences } from "../app/preferences.ts";
import { VIEWS } from "./protocol.ts";
import type { EmbedView } from "./protocol.ts";

/** Parts of the frame that its address may hide. */
const HIDEABLE = ["title", "composer", "open"] as const;
export type Hideable = (typeof HIDEABLE)[number];

/** A frame's address, read. */
export interface EmbedAddress {
  readonly view: EmbedView;
  /** Which recorded trace or run stands there before the start. */
  readonly preset: string | undefined;
  /** `visible` plays what is recorded when it comes into view; the model always waits for a click. */
  readonly start: "click" | "visible";
  readonly hide: ReadonlySet<Hideable>;
  readonly preferences: Partial<Preferences>;
  readonly state: Partial<PlaygroundShare>;
  readonly problem: LinkProblem | undefined;
  /** All keys, for views that have their own. */
  readonly query: URLSearchParams;
}

const frameEntries = {
  view: v.picklist(VIEWS),
  preset: v.pipe(v.string(), v.regex(/^[\w-][\w.-]{0,63}$/)),
  start: v.picklist(["click", "visible"]),
  hide: v.pipe(v.string(), v.maxLength(100)),
};

/**
 * Reads `embed.html?v=1&view=chat&model=…#s=…`: small state as the query, large state packed behind the hash. What is
 * wrong is left out and reported.
 */
export async function parseEmbedAddress(search: string, hash: string): Promise<EmbedAddress> {
  const query = new URLSearchParams(search);
  const packed = new URLSearchParams(hash.replace(/^#/, "")).get("s");
  if (packed !== null) query.set("s", packed);
  const frame = await decodeState<v.InferOutput<v.ObjectSchema<typeof frameEntries, undefined>>>(query, frameEntries);
  const { view = "chat", preset, start = "click", hide = "" } = frame.state;
  // A run's keys are the lab's, which comes when it is started.
  const page = await decodeState(view === "grpo" ? new URLSearchParams() : query, playgroundEntries);
  const hidden = hide.split(",");
  return {
    view,
    preset,
    start,
    hide: new Set(HIDEABLE.filter((part) => hidden.includes(part))),
    preferences: preferencesOf(query),
    // Two samples are what is compared.
    state: view === "compare" ? { ...page.state, n: Math.max(2, page.state.n ?? 2) } : page.state,
    problem: frame.problem ?? page.problem,
    query,
  };
}
