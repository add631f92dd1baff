import { create } from "zustand";
import { hrefOf, parseRoute } from "../router.ts";
import type { PageName } from "../router.ts";
import { usePage } from "../store.ts";
import { preferencesOf } from "./preferences-query.ts";
import { decodeState, encodeState } from "./state-query.ts";
import type { LinkProblem, StateEntries } from "./state-query.ts";

/** What a page puts into a link, and what it does with one. The keys `s`, `lang` and `theme` are taken. */
export interface SharePart<State extends object> {
  /** The schema of each key. */
  readonly entries: StateEntries<State>;
  /** The page's state now; keys that are undefined are left out. */
  read(): Partial<State>;
  /**
   * Takes over a link's state, which has passed the entries.
   * @returns the keys that could not be used
   */
  write(state: Partial<State>): readonly string[] | Promise<readonly string[]>;
}

/** A part without its state's type. */
interface Part {
  encode(): Promise<URLSearchParams>;
  open(query: URLSearchParams, tell: (problem: LinkProblem) => void): Promise<void>;
}

const parts = new Map<PageName, Part>();
/** Links to pages that had not arrived when the link was opened. */
const waiting = new Map<PageName, URLSearchParams>();

/** Whether the last link that was opened could be used in full. */
export const useLinkProblem = create<{ readonly problem: LinkProblem | undefined }>()(() => ({ problem: undefined }));

const tell = (problem: LinkProblem): void => useLinkProblem.setState({ problem });

/**
 * Lets a page's state travel in links. A page that is loaded later may register when it arrives: a link that was opened
 * before is given to it then. A page that never registers keeps its address's own keys in its links.
 */
export function registerShare<State extends object>(page: PageName, part: SharePart<State>): void {
  const added: Part = {
    encode: () => encodeState(part.read()),
    open: async (query, report) => {
      const { state, problem } = await decodeState(query, part.entries);
      if (problem) report(problem);
      if (Object.keys(state).length === 0) return;
      const fields = await part.write(state);
      if (fields.length > 0) report({ kind: "fields", fields });
    },
  };
  parts.set(page, added);
  const query = waiting.get(page);
  waiting.delete(page);
  if (query) void added.open(query, tell);
}

/** Takes over the state of an address (`#/lab?…`); what it does not say stays as it is. */
export async function openLink(hash: string): Promise<void> {
  const { page, query } = parseRoute(hash);
  useLinkProblem.setState({ problem: undefined });
  usePage.getState().setPreference(preferencesOf(query));
  const part = parts.get(page);
  if (part) await part.open(query, tell);
  else waiting.set(page, query);
}

/** The keys of a page's state now, language and theme included. */
export async function shareQuery(page: PageName): Promise<URLSearchParams> {
  const { language, theme } = usePage.getState();
  const query = (await parts.get(page)?.encode()) ?? parseRoute(location.hash).query;
  query.set("lang", language);
  query.set("theme", theme);
  return query;
}

/** The address that shows the page as it is now. */
export async function currentLink(): Promise<string> {
  const { page } = parseRoute(location.hash);
  return new URL(hrefOf(page, await shareQuery(page)), location.href).href;
}
