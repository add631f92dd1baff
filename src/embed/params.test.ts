import { expect, it } from "vitest";
import { encodeState } from "../app/share/state-query.ts";
import { parseEmbedAddress } from "./params.ts";

it("a frame's address says what it shows, with large state behind the hash", async () => {
  const draft = "word ".repeat(100);
  const packed = (await encodeState({ draft })).toString();
  const search = "?v=1&view=chat&model=tiny-random&temperature=0.5&seed=7&lang=ja&theme=dark&hide=composer,nothing";
  const address = await parseEmbedAddress(search, `#${packed}`);
  expect(address).toMatchObject({
    view: "chat",
    start: "click",
    preferences: { language: "ja", theme: "dark" },
    state: { model: "tiny-random", temperature: 0.5, seed: 7, draft },
    problem: undefined,
  });
  expect([...address.hide]).toEqual(["composer"]);
});

it("comparing needs two samples", async () => {
  expect((await parseEmbedAddress("?view=compare", "")).state.n).toBe(2);
  expect((await parseEmbedAddress("?view=compare&n=4", "")).state.n).toBe(4);
});

it("an address that is wrong shows a conversation and says what was wrong", async () => {
  const address = await parseEmbedAddress("?view=admin&model=https://evil.example/m&seed=1", "#s=AAAA");
  expect(address).toMatchObject({ view: "chat", state: { seed: 1 }, problem: { kind: "damaged" } });
  expect(address.state.model).toBeUndefined();
  expect((await parseEmbedAddress("?model=https://evil.example/m", "")).problem).toEqual({
    kind: "fields",
    fields: ["model"],
  });
});
