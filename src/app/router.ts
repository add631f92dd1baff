import { useMemo, useSyncExternalStore } from "react";

/** The pages, in the order of the header. */
export const PAGES = ["playground", "models", "lab", "learn"] as const;
export type PageName = (typeof PAGES)[number];

/** Where the reader is: `#/lab?task=countdown`. A hash works from any folder of any static server. */
export interface Route {
  readonly page: PageName;
  /** What follows the `?`, still to be checked. */
  readonly query: URLSearchParams;
}

/** An address that names no page leads to the first. */
export function parseRoute(hash: string): Route {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  return { page: PAGES.find((page) => page === path) ?? PAGES[0], query: new URLSearchParams(query) };
}

export function hrefOf(page: PageName, query?: URLSearchParams): string {
  const text = query?.toString() ?? "";
  return `#/${page}${text === "" ? "" : `?${text}`}`;
}

export function usePageName(): PageName {
  return useSyncExternalStore(subscribe, () => parseRoute(location.hash).page);
}

/** What follows the `?`, still to be checked. */
export function useQuery(): URLSearchParams {
  const hash = useSyncExternalStore(subscribe, () => location.hash);
  return useMemo(() => parseRoute(hash).query, [hash]);
}

function subscribe(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  return () => removeEventListener("hashchange", changed);
}
