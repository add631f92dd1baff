import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { GenerateCall, GenerateEvent, GenerateStats } from "./protocol.ts";
import { collect, picked, startTestEngine, TINY } from "./testing.ts";
import type { TestEngine } from "./testing.ts";

/** What was asked and answered so far, then the question. */
type Said = readonly [question: string, ...answersAndQuestions: string[]];

const call = (said: Said, options: GenerateCall["options"] = {}): GenerateCall => ({
  prompt: {
    messages: said.map((content, i) => ({ role: i % 2 === 0 ? ("user" as const) : ("assistant" as const), content })),
  },
  options: { seed: 5, maxNewTokens: 12, thinkMax: 6, ...options },
});

interface Turn {
  readonly stats: GenerateStats;
  readonly answer: string;
  /** Of each sample. */
  readonly ids: readonly (readonly number[])[];
}

function turnOf(events: readonly GenerateEvent[]): Turn {
  const ends = events.filter((event) => event.type === "finished").toSorted((a, b) => a.sample - b.sample);
  const stats = events.find((event) => event.type === "done")?.stats ?? expect.fail("no end");
  return { stats, answer: ends[0]?.completion.answer ?? "", ids: ends.map(({ completion }) => completion.ids) };
}

describe("what a turn computes anew", () => {
  let engine: TestEngine;
  let first: Turn;
  beforeAll(async () => {
    engine = startTestEngine();
    await engine.client.load(picked(TINY));
    first = await say(["What is 2 + 3?"]);
  });
  afterAll(() => engine.client.unload());
  const say = async (...args: Parameters<typeof call>): Promise<Turn> =>
    turnOf(await collect(engine.client.generate(call(...args))));

  /** The prompt ends with <｜Assistant｜> and the <think> that is not said again; its last token is decode's first input. */
  const throughFirst = (): number => first.stats.promptTokens - 2;

  it("the first: all", () => {
    expect(first.stats.cachedTokens).toBe(0);
    expect(first.answer).not.toBe("");
  });

  it("a second, with several samples: the answer without its thought, and the question", async () => {
    const four = await say(["What is 2 + 3?", first.answer, "And 3 + 4?"], { n: 4 });
    expect(four.stats.cachedTokens).toBe(throughFirst());
    expect(four.ids).toHaveLength(4);
    // Asked again alone: nothing but the last token.
    const one = await say(["What is 2 + 3?", first.answer, "And 3 + 4?"]);
    expect(one.stats.cachedTokens).toBe(one.stats.promptTokens - 1);
    expect(one.ids[0]).toEqual(four.ids[0]);
  });

  it("several samples, and several again: the answer and the question", async () => {
    const before = await say(["What is 2 + 3?"], { n: 3 });
    const after = await say(["What is 2 + 3?", before.answer, "And then?"], { n: 3 });
    expect(after.stats.cachedTokens).toBe(throughFirst());
    // Longer replies need a larger cache; what is in the old one moves to it.
    const longer = await say(["What is 2 + 3?", before.answer, "And then?"], { n: 3, maxNewTokens: 40 });
    expect(longer.stats.cachedTokens).toBe(longer.stats.promptTokens - 1);
    expect(longer.ids.map((ids) => ids.slice(0, 11))).toEqual(after.ids.map((ids) => ids.slice(0, 11)));
  });

  it("a retry: nothing but the last token", async () => {
    await say(["What is 2 + 3?"]);
    const again = await say(["What is 2 + 3?"], { seed: 6 });
    expect(again.stats.cachedTokens).toBe(again.stats.promptTokens - 1);
  });

  it("an edited question: itself", async () => {
    await say(["What is 2 + 3?", first.answer, "And 3 + 4?"]);
    const edited = await say(["What is 2 + 3?", first.answer, "Why?"]);
    expect(edited.stats.cachedTokens).toBeGreaterThan(first.stats.promptTokens);
    expect(edited.stats.cachedTokens).toBeLessThan(edited.stats.promptTokens - 1);
    // Back on the other branch: from where the two part.
    const back = await say(["What is 2 + 3?", first.answer, "And 3 + 4?"]);
    expect(back.stats.cachedTokens).toBe(edited.stats.cachedTokens);
  });

  it.each([1, 3])("after a stop in the middle of a thought, %d samples: what was not said before", async (n) => {
    const abort = new AbortController();
    const long = call(["What is 2 + 3?"], { n, maxNewTokens: 2000, thinkMax: 0 });
    for await (const event of engine.client.generate(long, abort.signal)) {
      if (event.type === "token" && event.index === 7) abort.abort();
    }
    const next = await say(["What is 2 + 3?", "Five.", "And then?"]);
    expect(next.stats.cachedTokens).toBe(throughFirst());
  });

  it("with another context: as with the one before", async () => {
    await say(["What is 2 + 3?"]);
    const shorter = await engine.client.setContext(200);
    expect(shorter).toMatchObject({ contextTokens: 200, kv: "f32", name: "picked" });
    const next = await say(["What is 2 + 3?", "Five.", "And then?"]);
    expect(next.stats.cachedTokens).toBe(throughFirst());
    await expect(say(["word ".repeat(300)])).rejects.toMatchObject({ code: "E_PROMPT_TOO_LONG" });
    expect((await engine.client.setContext(4096)).contextTokens).toBe(4096);
    const again = await say(["What is 2 + 3?", "Five.", "And then?"]);
    expect(again.stats.cachedTokens).toBe(again.stats.promptTokens - 1);
    expect(again.ids).toEqual(next.ids);
    await expect(engine.client.setContext(0)).rejects.toMatchObject({ code: "E_OPTION" });
  });

  it("after a question that was refused: as if it had not been asked", async () => {
    await say(["What is 2 + 3?"]);
    await expect(say(["word ".repeat(5000)])).rejects.toMatchObject({ code: "E_PROMPT_TOO_LONG" });
    const next = await say(["What is 2 + 3?", "Five.", "And then?"]);
    expect(next.stats.cachedTokens).toBe(throughFirst());
  });
});

it("a cache of f16 moves from session to session as one of f32 does", async () => {
  const engine = startTestEngine();
  const model = await engine.client.load({ ...picked(TINY), contextTokens: 256, kv: "f16" });
  expect(model.kv).toBe("f16");
  const say = async (n: number): Promise<Turn> =>
    turnOf(await collect(engine.client.generate(call(["What is 2 + 3?"], { n }))));
  const alone = await say(1);
  const three = await say(3);
  expect(three.stats.cachedTokens).toBe(three.stats.promptTokens - 1);
  expect(three.ids[0]).toEqual(alone.ids[0]);
  await engine.client.unload();
  expect(engine.liveBuffers).toBe(0);
});
