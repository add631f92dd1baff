import { describe, expect, it } from "vitest";
import { hrefOfPlace, placeOf, stepFrom } from "./place.ts";

const SECTIONS = [2, 3, 1];

describe("a place in the chapters", () => {
  it.each([
    ["", 1, 1, false],
    ["chapter=2&section=3&present=1", 2, 3, true],
    ["chapter=4&section=2", 1, 2, false],
    ["chapter=3&section=2", 3, 1, false],
    ["chapter=0", 1, 1, false],
    ["chapter=1e0&section=-1&present=yes", 1, 1, false],
    ["chapter=__proto__&section=99999999999", 1, 1, false],
  ])("“%s” is chapter %d, section %d", (query, chapter, section, isPresenting) => {
    expect(placeOf(new URLSearchParams(query), SECTIONS)).toEqual({ chapter, section, isPresenting });
  });

  it("is written as it is read", () => {
    for (const chapter of [1, 2, 3]) {
      const place = { chapter, section: chapter === 2 ? 2 : 1, isPresenting: true };
      const query = hrefOfPlace(place).split("?")[1];
      expect(placeOf(new URLSearchParams(query), SECTIONS)).toEqual(place);
    }
    expect(hrefOfPlace({ chapter: 2, section: 3, isPresenting: false })).toBe("#/learn?chapter=2");
  });

  it("steps across chapters and stops at both ends", () => {
    const at = (chapter: number, section: number) => ({ chapter, section, isPresenting: true });
    expect(stepFrom(at(1, 2), "next", SECTIONS)).toEqual(at(2, 1));
    expect(stepFrom(at(2, 1), "previous", SECTIONS)).toEqual(at(1, 2));
    expect(stepFrom(at(3, 1), "next", SECTIONS)).toEqual(at(3, 1));
    expect(stepFrom(at(1, 1), "previous", SECTIONS)).toEqual(at(1, 1));
    expect(stepFrom(at(2, 2), "first", SECTIONS)).toEqual(at(1, 1));
    expect(stepFrom(at(2, 2), "last", SECTIONS)).toEqual(at(3, 1));
  });
});
