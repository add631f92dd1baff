import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { collect, complete, openFixture, request, tokenIds } from "./testing.ts";
import type { Opened } from "./testing.ts";
import type { GenerateOptions } from "./options.ts";

const VOCAB = 515;
const PROMPTS = [1, 7, 33, 40, 2, 19].map((length, i) => tokenIds(length, VOCAB, i + 1));

describe("a batch", () => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await openFixture("qwen2-tiny-f16");
  });
  afterAll(() => opened.dispose());

  const settings: readonly Partial<GenerateOptions>[] = [
    { temperature: 0 },
    { temperature: 1, seed: 5 },
    { temperature: 0.8, topP: 0.9, topK: 40, minP: 0.01, repetitionPenalty: 1.2, seed: 9 },
  ];

  it.each(settings)("gives each prompt what it gets alone, %o", async (options) => {
    const { session } = opened;
    const together = await collect(session, request(PROMPTS, options));
    for (const [i, prompt] of PROMPTS.entries()) {
      const alone = await complete(session, request([prompt], options));
      const mine = together.completions[i]?.[0];
      expect(mine?.ids).toEqual(alone.ids);
      mine?.logprobs.forEach((logprob, t) => expect(Math.abs(logprob - (alone.logprobs[t] ?? 0))).toBeLessThan(1e-4));
      mine?.entropies.forEach((entropy, t) => expect(Math.abs(entropy - (alone.entropies[t] ?? 0))).toBeLessThan(1e-4));
    }
  });

  it("draws the same first samples however many are drawn, and different ones from each other", async () => {
    const { session } = opened;
    const prompt = tokenIds(9, VOCAB);
    const sampled = { temperature: 1, seed: 3 };
    const eight = await collect(session, request([prompt], { ...sampled, n: 8 }));
    const three = await collect(session, request([prompt], { ...sampled, n: 3 }));
    const one = await complete(session, request([prompt], sampled));
    const ids = eight.completions[0]?.map((completion) => completion.ids) ?? [];
    expect(three.completions[0]?.map((completion) => completion.ids)).toEqual(ids.slice(0, 3));
    expect(one.ids).toEqual(ids[0]);
    expect(new Set(ids.map((list) => list.join())).size).toBe(8);
    const other = await complete(session, request([prompt], { ...sampled, seed: 4 }));
    expect(other.ids).not.toEqual(one.ids);
  });

  it("seeds prompts apart when asked to", async () => {
    const { session } = opened;
    const ids = tokenIds(9, VOCAB);
    const what = request([], { temperature: 1, seed: 1 });
    const prompts = [1, 2].map((seed) => ({ ids, seed, startsInThink: false }));
    const { completions } = await collect(session, { ...what, prompts });
    expect(completions[0]?.[0]?.ids).toEqual(
      (await complete(session, request([ids], { temperature: 1, seed: 1 }))).ids,
    );
    expect(completions[1]?.[0]?.ids).toEqual(
      (await complete(session, request([ids], { temperature: 1, seed: 2 }))).ids,
    );
  });

  it("lets waiting prompts in as others leave, in a cache that holds few at a time", async () => {
    const small = await openFixture("qwen2-tiny-f16", { maxSequences: 4, kvTokens: 130 });
    const prompts = Array.from({ length: 9 }, (_, i) => tokenIds(5 + 4 * i, VOCAB, i));
    const waves = await collect(small.session, request(prompts, { n: 2, temperature: 1, maxNewTokens: 7 }));
    expect(small.session.freeTokens).toBe(130);
    for (const [i, prompt] of prompts.entries()) {
      const alone = await collect(opened.session, request([prompt], { n: 2, temperature: 1, maxNewTokens: 7 }));
      expect(waves.completions[i]?.map(({ ids }) => ids)).toEqual(alone.completions[0]?.map(({ ids }) => ids));
    }
    expect(waves.stats.completionTokens).toBe(9 * 2 * 7);
    small.dispose();
  });

  it("goes on with the others when one sample stops", async () => {
    const { session } = opened;
    const free = await collect(session, request(PROMPTS));
    const stop = free.completions[2]?.[0]?.ids[3] ?? -1;
    const { completions } = await collect(session, request(PROMPTS, {}, { stopIds: [stop] }));
    completions.forEach(([completion], i) => {
      const ids = free.completions[i]?.[0]?.ids ?? [];
      const at = ids.indexOf(stop);
      expect(completion?.ids).toEqual(at < 0 ? ids : ids.slice(0, at + 1));
      expect(completion?.finishReason).toBe(at < 0 ? "length" : "stop");
    });
    expect(completions[2]?.[0]?.finishReason).toBe("stop");
  });
});

describe("a decode step", () => {
  it.each(["qwen2-tiny", "llama-tiny"])(
    "of %s is one submission, reads 16 bytes per sequence and creates nothing",
    async (name) => {
      const { context, session, model, dispose } = await openFixture(name);
      const { layers, vocabSize } = model.spec;
      const prompt = tokenIds(8, vocabSize);
      const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0 };
      const sequences = [0, 1, 2].map(() => session.open(40));
      await session.prefill(sequences.map((sequence) => ({ sequence, tokens: prompt })));
      const step = (token?: number) =>
        session.step(
          sequences.map((sequence, stream) => ({
            sequence,
            ...(token === undefined ? {} : { token }),
            sampling: { ...sampling, stream },
          })),
        );
      await step(1);
      const before = { ...context.counters };
      const steps = 5;
      for (let i = 0; i < steps; i++) await step();
      const after = context.counters;
      expect(after.submits - before.submits).toBe(steps);
      expect(after.bytesRead - before.bytesRead).toBe(steps * 16 * sequences.length);
      expect(after.buffersCreated).toBe(before.buffersCreated);
      expect(after.pipelinesCreated).toBe(before.pipelinesCreated);
      expect(after.bindGroupsCreated).toBe(before.bindGroupsCreated);
      // Embedding, head and the sampler's two come once.
      expect((after.dispatches - before.dispatches) / steps).toBe(6 * layers + 4);
      dispose();
    },
  );

  it("costs a generation no submission beyond one per token and the prompt's own", async () => {
    const { context, session, dispose } = await openFixture("qwen2-tiny");
    await collect(session, request([[1, 2, 3]], { temperature: 1, n: 4, maxNewTokens: 3 }));
    const before = { ...context.counters };
    await collect(session, request([[1, 2, 3]], { temperature: 1, n: 4, maxNewTokens: 20 }));
    expect(context.counters.submits - before.submits).toBe(1 + 20);
    expect(context.counters.buffersCreated).toBe(before.buffersCreated);
    dispose();
  });
});
