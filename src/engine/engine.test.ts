import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FIXTURES } from "../testing-data.ts";
import type { GenerateEvent } from "./protocol.ts";
import { answeredWrongly, ask, collect, failureCode, picked, startTestEngine, TINY } from "./testing.ts";
import type { TestEngine } from "./testing.ts";

const finished = (events: readonly GenerateEvent[]) => events.filter((event) => event.type === "finished");
const tokens = (events: readonly GenerateEvent[]) => events.filter((event) => event.type === "token");

describe("the engine with the built-in model", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    await engine.client.load(picked(TINY));
  });
  afterAll(() => engine.client.unload());

  it("says what it runs on and what it has loaded", async () => {
    const device = await engine.client.open();
    expect(device.description || device.vendor).not.toBe("");
    expect(device.maxBindingSize).toBeGreaterThan(0);
    const progress: string[] = [];
    const model = await engine.client.load(picked(TINY), { onProgress: ({ stage }) => progress.push(stage) });
    expect(model).toMatchObject({
      name: "picked",
      parameters: 110_272,
      contextTokens: 4096,
      hasTokenizer: true,
      hasTemplate: true,
      recommended: { temperature: 0.6, topP: 0.95 },
      spec: { architecture: "Qwen2ForCausalLM", layers: 2, hiddenSize: 64 },
    });
    expect([...new Set(progress)]).toEqual(["device", "files", "weights", "kernels"]);
  });

  it("streams a thought and an answer, and their ends say the same", async () => {
    const events = await collect(engine.client.generate(ask("What is 2 + 3?")));
    expect(events[0]).toMatchObject({ type: "prefilled", prompt: 0 });
    const said = (channel: string) =>
      tokens(events)
        .flatMap((event) => (event.channel === channel ? [event.text] : []))
        .join("");
    const [end] = finished(events);
    expect(end?.completion).toMatchObject({ think: said("think"), answer: said("answer"), finishReason: "length" });
    expect(end?.completion.ids).toHaveLength(12);
    expect(tokens(events).filter(({ forced }) => forced === "think-max")).toHaveLength(1);
    expect(said("answer")).not.toBe("");
    expect(events.at(-1)).toMatchObject({ type: "done", stats: { completionTokens: 12 } });
  });

  it("samples as the model recommends unless it is told otherwise", async () => {
    const ids = async (options: Record<string, number>) =>
      finished(await collect(engine.client.generate(ask("Hi", options))))[0]?.completion.ids;
    const recommended = await ids({});
    expect(recommended).toEqual(await ids({ temperature: 0.6, topP: 0.95 }));
    expect(recommended).not.toEqual(await ids({ temperature: 0 }));
  });

  it("computes only what a second turn adds, with the same result as from nothing", async () => {
    const greedy = { temperature: 0, maxNewTokens: 16 };
    const first = ask("What is 2 + 3?", greedy);
    const before = await collect(engine.client.generate(first));
    const [reply] = finished(before);
    const asked = before.find((event) => event.type === "done")?.stats.promptTokens ?? 0;
    const call = {
      prompt: {
        messages: [
          { role: "user", content: "What is 2 + 3?" },
          { role: "assistant", content: reply?.completion.answer ?? "" },
          { role: "user", content: "And 3 + 4?" },
        ],
      },
      options: first.options,
    } as const;
    const second = await collect(engine.client.generate(call));
    expect(second[0]).toMatchObject({ type: "prefilled" });
    const stats = second.find((event) => event.type === "done")?.stats;
    // Kept up to the end of the first question: the thought, and the <think> that opens it, are not said again.
    expect(stats?.cachedTokens).toBe(asked - 2);
    expect(stats?.cachedTokens).toBeLessThan(stats?.promptTokens ?? 0);
    const fresh = startTestEngine();
    await fresh.client.load(picked(TINY));
    const alone = await collect(fresh.client.generate(call));
    expect(finished(alone)[0]?.completion.ids).toEqual(finished(second)[0]?.completion.ids);
    await fresh.client.unload();
  });

  it("gives several samples of one question, the first being the one it gives alone", async () => {
    const alone = await collect(engine.client.generate(ask("What is 2 + 3?", { seed: 7 })));
    const events = await collect(engine.client.generate(ask("What is 2 + 3?", { seed: 7, n: 4 })));
    const ends = finished(events).toSorted((a, b) => a.sample - b.sample);
    expect(ends.map(({ sample }) => sample)).toEqual([0, 1, 2, 3]);
    expect(new Set(ends.map(({ completion }) => completion.ids.join())).size).toBe(4);
    expect(ends[0]?.completion.ids).toEqual(finished(alone)[0]?.completion.ids);
    expect(tokens(events)).toHaveLength(48);
  });

  it("goes on from plain ids", async () => {
    const call = { prompt: { ids: [5, 6, 7] }, options: { temperature: 0, maxNewTokens: 4, thinkMax: 0 } };
    const [end] = finished(await collect(engine.client.generate(call)));
    expect(end?.completion.ids).toHaveLength(4);
    expect(end?.completion.think).toBe("");
  });

  it("posts the events of a step together", async () => {
    const before = engine.sent.length;
    const events = await collect(engine.client.generate(ask("Hi", { n: 4, maxNewTokens: 24 })));
    const messages = engine.sent.slice(before).filter(({ type }) => type === "progress");
    // Four samples a step; a slow step has a message to itself.
    expect(messages.length).toBeLessThanOrEqual(events.length / 3);
  });

  it("stops in the middle of a reply and keeps what was said", async () => {
    const abort = new AbortController();
    const events: GenerateEvent[] = [];
    for await (const event of engine.client.generate(ask("Hi", { maxNewTokens: 2000, thinkMax: 0 }), abort.signal)) {
      events.push(event);
      if (tokens(events).length === 5) abort.abort();
    }
    const [end] = finished(events);
    expect(end?.completion.finishReason).toBe("aborted");
    expect(end?.completion.ids.length).toBeGreaterThanOrEqual(5);
    expect(end?.completion.ids.length).toBeLessThan(2000);
    expect(tokens(events).map(({ id }) => id)).toEqual(end?.completion.ids);
  });

  it("cancels when the reader of the stream leaves", async () => {
    const before = engine.sent.length;
    for await (const event of engine.client.generate(ask("Hi", { maxNewTokens: 2000, thinkMax: 0 }))) {
      if (event.type === "token") break;
    }
    await engine.client.open();
    const messages = engine.sent.slice(before);
    const events = messages.flatMap((m) => (m.type === "progress" && m.method === "generate" ? m.progress : []));
    expect(finished(events)[0]?.completion.finishReason).toBe("aborted");
  });

  it("answers a call that is cancelled while it waits without beginning it", async () => {
    const abort = new AbortController();
    const running = collect(engine.client.generate(ask("Hi", { maxNewTokens: 40 })));
    const waiting = collect(engine.client.generate(ask("Hi"), abort.signal));
    abort.abort();
    expect(await failureCode(waiting)).toBe("E_ABORTED");
    expect(finished(await running)[0]?.completion.ids).toHaveLength(40);
  });

  it("goes on after a stop as if the stopped reply had never been begun", async () => {
    const abort = new AbortController();
    const first = ask("What is 2 + 3?", { temperature: 0, maxNewTokens: 2000, thinkMax: 0 });
    for await (const event of engine.client.generate(first, abort.signal)) {
      if (event.type === "token" && event.index === 7) abort.abort();
    }
    const second = ask("What is 2 + 4?", { temperature: 0, maxNewTokens: 24 });
    const after = await collect(engine.client.generate(second));
    expect(after.at(-1)).toMatchObject({ type: "done", stats: { cachedTokens: expect.toSatisfy((n) => n > 5) } });
    const fresh = startTestEngine();
    await fresh.client.load(picked(TINY));
    const alone = await collect(fresh.client.generate(second));
    expect(finished(after)[0]?.completion.ids).toEqual(finished(alone)[0]?.completion.ids);
    await fresh.client.unload();
  });

  it("answers every call exactly once, and says nothing after", () => {
    expect(engine.sent.filter(({ type }) => type === "result").length).toBeGreaterThan(5);
    expect(answeredWrongly(engine.sent)).toEqual([]);
  });
});

describe("the engine with other folders", () => {
  it("loads what has no tokenizer, and goes on from ids", async () => {
    const engine = startTestEngine();
    const model = await engine.client.load(picked(join(FIXTURES, "llama-tiny")));
    expect(model).toMatchObject({
      hasTokenizer: false,
      hasTemplate: false,
      spec: { architecture: "LlamaForCausalLM" },
    });
    const call = { prompt: { ids: [5, 6, 7] }, options: { temperature: 0, maxNewTokens: 4 } };
    expect(finished(await collect(engine.client.generate(call)))[0]?.completion.ids).toHaveLength(4);
    expect(await failureCode(collect(engine.client.generate(ask("Hi", { thinkMax: 0 }))))).toMatch(
      /^E_TOKENIZER_MISSING|^E_TEMPLATE_MISSING/,
    );
    await engine.client.unload();
    expect(engine.liveBuffers).toBe(0);
  });

  it("converts weights on request", async () => {
    const engine = startTestEngine();
    const { weightBytes } = await engine.client.load(picked(TINY));
    const quantized = await engine.client.load({ ...picked(TINY), format: "q8", contextTokens: 64 });
    expect(quantized.contextTokens).toBe(64);
    expect(quantized.weightBytes).toBeLessThan(weightBytes);
    expect(finished(await collect(engine.client.generate(ask("Hi"))))[0]?.completion.ids).toHaveLength(12);
    await engine.client.unload();
  });
});
