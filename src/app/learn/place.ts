import * as v from "valibot";
import { hrefOf } from "../router.ts";

/** Where the reader is in the chapters; both numbers count from 1. */
export interface Place {
  readonly chapter: number;
  /** In presenter mode, the screen. */
  readonly section: number;
  readonly isPresenting: boolean;
}

const position = v.fallback(v.pipe(v.string(), v.regex(/^[1-9]\d?$/), v.transform(Number)), 1);
const schema = v.object({ chapter: position, section: position, present: v.fallback(v.string(), "") });

/**
 * Reads `chapter=3&section=2&present=1`; what is missing or wrong is the first.
 * @param sections how many sections each chapter has
 */
export function placeOf(query: URLSearchParams, sections: readonly number[]): Place {
  const given = v.parse(schema, Object.fromEntries(query));
  const chapter = given.chapter <= sections.length ? given.chapter : 1;
  const section = given.section <= (sections[chapter - 1] ?? 0) ? given.section : 1;
  return { chapter, section, isPresenting: given.present === "1" };
}

export function hrefOfPlace({ chapter, section, isPresenting }: Place): string {
  const query = new URLSearchParams({ chapter: String(chapter) });
  if (isPresenting) {
    if (section > 1) query.set("section", String(section));
    query.set("present", "1");
  }
  return hrefOf("learn", query);
}

export type Step = "next" | "previous" | "first" | "last";

/** The screen a step leads to, across chapters; at either end it is the same place. */
export function stepFrom(place: Place, step: Step, sections: readonly number[]): Place {
  const all = sections.flatMap((count, c) =>
    Array.from({ length: count }, (_, s): Place => ({ ...place, chapter: c + 1, section: s + 1 })),
  );
  const at = all.findIndex(({ chapter, section }) => chapter === place.chapter && section === place.section);
  const to = { next: at + 1, previous: at - 1, first: 0, last: all.length - 1 }[step];
  return all[to] ?? place;
}
