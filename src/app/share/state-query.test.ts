import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { MAX_PACKED_CHARACTERS, MAX_UNPACKED_BYTES, pack, unpack } from "./packed.ts";
import { decodeState, encodeState } from "./state-query.ts";

const entries = {
  count: v.pipe(v.number(), v.minValue(-1e9), v.maxValue(1e9)),
  flag: v.boolean(),
  text: v.pipe(v.string(), v.maxLength(5000)),
  list: v.array(v.string()),
  config: v.record(v.string(), v.unknown()),
};

const wellFormed = fc.string({ unit: "grapheme", maxLength: 600 });
const anyState = fc.record(
  {
    count: fc.double({ min: -1e9, max: 1e9, noNaN: true }).map((value) => value + 0),
    flag: fc.boolean(),
    text: fc.oneof(wellFormed, fc.constantFrom("true", "5", "", "&s=x#?", "%00")),
    list: fc.array(wellFormed, { maxLength: 5 }),
    config: fc.dictionary(fc.string({ maxLength: 8 }), fc.integer(), { noNullPrototype: true, maxKeys: 5 }),
  },
  { requiredKeys: [] },
);

describe("a page's state in an address", () => {
  it("reads back as it was written, through the text of the address", async () => {
    await fc.assert(
      fc.asyncProperty(anyState, async (state) => {
        const text = (await encodeState(state)).toString();
        const decoded = await decodeState(new URLSearchParams(text), entries);
        expect(decoded).toEqual({ state: JSON.parse(JSON.stringify(state)), problem: undefined });
      }),
    );
  });

  it("shows numbers and short texts to whoever reads the address, and packs the rest", async () => {
    const query = await encodeState({ count: 3, text: "2 + 3?", list: ["a"], gone: undefined });
    expect([...query.keys()]).toEqual(["count", "text", "s"]);
    expect(query.get("count")).toBe("3");
    expect(query.get("text")).toBe("2 + 3?");
    expect(await unpack(query.get("s") ?? "")).toEqual({ list: ["a"] });
  });

  it("is never more than its schema allows, whatever the address says", async () => {
    const anything = fc.dictionary(fc.constantFrom("s", "count", "flag", "text", "__proto__"), fc.string());
    await fc.assert(
      fc.asyncProperty(anything, async (keys) => {
        const { state, problem } = await decodeState(new URLSearchParams(Object.entries(keys)), entries);
        expect(v.is(v.partial(v.strictObject(entries)), state)).toBe(true);
        if (Object.hasOwn(keys, "flag") && !/^(true|false)$/.test(keys["flag"] ?? "")) expect(problem).toBeDefined();
      }),
    );
  });

  it("drops keys that nobody knows, in the packed part too", async () => {
    const query = new URLSearchParams({ count: "1", admin: "true", s: await pack({ list: [], evil: 1 }) });
    expect(await decodeState(query, entries)).toEqual({ state: { count: 1, list: [] }, problem: undefined });
  });

  it("keeps what can be read and names what cannot", async () => {
    const query = new URLSearchParams({ count: "many", flag: "true", s: await pack({ list: [1] }) });
    const { state, problem } = await decodeState(query, entries);
    expect(state).toEqual({ flag: true });
    expect(problem).toEqual({ kind: "fields", fields: ["count", "list"] });
  });
});

describe("the packed part", () => {
  it.each(["%", "####", "AAAA", "H4sIAAAAAAAA", "x"])("%s is damaged", async (text) => {
    await expect(unpack(text)).rejects.toMatchObject({ reason: "damaged" });
  });

  it.each([[[1]], [null], ["text"], [5]])("that holds %j is damaged: it is no object", async (json) => {
    await expect(unpack(await pack(json as never))).rejects.toMatchObject({ reason: "damaged" });
  });

  it("that is cut off is damaged", async () => {
    const packed = await pack({ text: "a thought of some length, that compresses to more than a few bytes" });
    await expect(unpack(packed.slice(0, -12))).rejects.toMatchObject({ reason: "damaged" });
  });

  it("is refused when it is too long, and when it would become too long", async () => {
    await expect(unpack("A".repeat(MAX_PACKED_CHARACTERS + 1))).rejects.toMatchObject({ reason: "too-large" });
    const bomb = await pack({ text: " ".repeat(MAX_UNPACKED_BYTES) });
    expect(bomb.length).toBeLessThan(MAX_PACKED_CHARACTERS);
    await expect(unpack(bomb)).rejects.toMatchObject({ reason: "too-large" });
    const { problem } = await decodeState(new URLSearchParams({ s: bomb }), entries);
    expect(problem).toEqual({ kind: "too-large" });
  });
});
