import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isR1Error } from "../errors.ts";
import { scaledLogits } from "../kernels/sample/reference.ts";
import { byteLevelTokenizer } from "../text/testing/tokenizers.ts";
import { generate } from "./generate.ts";
import type { GenerateEvent, TokenEvent } from "./events.ts";
import { collect, complete, openFixture, request, tokenIds } from "./testing.ts";
import type { Opened } from "./testing.ts";

const VOCAB = 515;
const PROMPT = tokenIds(11, VOCAB);

let opened: Opened;
beforeAll(async () => {
  opened = await openFixture("qwen2-tiny-f16");
});
afterAll(() => opened.dispose());

/** The code of what a request throws, and the message. */
async function refusal(what: ReturnType<typeof request>): Promise<string> {
  try {
    await collect(opened.session, what);
  } catch (error) {
    if (isR1Error(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "nothing";
}

describe("generated tokens", () => {
  it("carry the log-probabilities and entropies that scoring the text gives", async () => {
    const { session } = opened;
    const { ids, logprobs, entropies } = await complete(
      session,
      request([PROMPT], { temperature: 1.3, topK: 50, seed: 2 }),
    );
    const { positions } = await session.score([...PROMPT, ...ids]);
    ids.forEach((_, i) => {
      const scored = positions[PROMPT.length - 1 + i];
      expect(Math.abs((scored?.logprob ?? Number.NaN) - (logprobs[i] ?? 0))).toBeLessThan(1e-4);
      expect(Math.abs((scored?.entropy ?? Number.NaN) - (entropies[i] ?? 0))).toBeLessThan(1e-4);
    });
  });

  it("come with their alternatives on request, and are the same as without", async () => {
    const { session } = opened;
    const plain = await complete(session, request([PROMPT]));
    const { tokens } = await collect(session, request([PROMPT], { alternatives: 5 }));
    expect(tokens.map(({ id }) => id)).toEqual(plain.ids);
    for (const { id, logprob, alternatives = [] } of tokens) {
      expect(alternatives).toHaveLength(5);
      expect(alternatives[0]?.id).toBe(id);
      expect(Math.abs((alternatives[0]?.logprob ?? 0) - logprob)).toBeLessThan(1e-5);
      expect(alternatives.map((a) => a.logprob)).toEqual(alternatives.map((a) => a.logprob).toSorted((a, b) => b - a));
    }
  });

  it("are penalised for tokens of the prompt", async () => {
    const { session } = opened;
    const { lastLogits } = await session.score(PROMPT);
    const settings = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 50 };
    const likely = [...lastLogits.keys()].toSorted((a, b) => (lastLogits[b] ?? 0) - (lastLogits[a] ?? 0));
    // With its most likely token already said, the prompt must go on otherwise.
    const prompt = [likely[0] ?? 0, ...PROMPT];
    const { lastLogits: logits } = await session.score(prompt);
    const want = [...scaledLogits(logits, settings, new Set(prompt))];
    const { ids } = await complete(session, request([prompt], { ...settings, maxNewTokens: 1 }));
    expect(ids[0]).toBe(want.indexOf(Math.max(...want)));
  });

  it("are greedy at temperature 0 whatever the seed", async () => {
    const { session } = opened;
    const a = await complete(session, request([PROMPT], { seed: 1 }));
    const b = await complete(session, request([PROMPT], { seed: 2 }));
    expect(a.ids).toEqual(b.ids);
  });
});

describe("the conversation's cache", () => {
  it("is used again up to where the next prompt differs, with the same result", async () => {
    const { session } = opened;
    const conversation = session.open(session.sizes.contextTokens);
    const ask = async (ids: readonly number[]) => {
      const what = request([]);
      const run = await collect(session, { ...what, prompts: [{ ids, startsInThink: false, conversation }] });
      return { ids: run.completions[0]?.[0]?.ids ?? [], cached: run.stats.cachedTokens };
    };
    const first = await ask(PROMPT);
    expect(first.cached).toBe(0);
    // The next turn repeats the prompt and part of the reply, as when a thought is stripped from the history.
    const next = [...PROMPT, ...first.ids.slice(0, 4), 3, 1, 4, 1, 5];
    const second = await ask(next);
    expect(second.cached).toBe(PROMPT.length + 4);
    expect(second.ids).toEqual((await complete(session, request([next]))).ids);
    // The same prompt once more only needs its last token.
    const again = await ask(next);
    expect(again.cached).toBe(next.length - 1);
    expect(again.ids).toEqual(second.ids);
    conversation.free();
    expect(session.freeTokens).toBe(session.sizes.kvTokens);
  });
});

describe("stopping", () => {
  it("by signal ends the samples where they are, and the session stays usable", async () => {
    const { session } = opened;
    const abort = new AbortController();
    const events: GenerateEvent[] = [];
    for await (const event of generate(
      session,
      request([PROMPT, [4, 5]], { maxNewTokens: 60 }, { signal: abort.signal }),
    )) {
      events.push(event);
      if (event.type === "token" && event.index === 5) abort.abort();
    }
    const ends = events.filter((event) => event.type === "finished");
    expect(ends).toHaveLength(2);
    for (const { completion } of ends) {
      expect(completion.finishReason).toBe("aborted");
      expect(completion.ids.length).toBeGreaterThan(4);
      expect(completion.ids.length).toBeLessThan(10);
    }
    expect(events.at(-1)?.type).toBe("done");
    expect(session.freeTokens).toBe(session.sizes.kvTokens);
    const free = await complete(session, request([PROMPT], { maxNewTokens: 60 }));
    expect(free.ids.slice(0, 5)).toEqual(ends.find((event) => event.prompt === 0)?.completion.ids.slice(0, 5));
  });

  it("before the first token reports empty completions", async () => {
    const { session } = opened;
    const { completions } = await collect(session, request([PROMPT], { n: 3 }, { signal: AbortSignal.abort() }));
    expect(completions[0]?.map(({ ids, finishReason }) => [ids.length, finishReason])).toEqual(
      Array.from({ length: 3 }, () => [0, "aborted"]),
    );
  });

  it("by leaving the loop frees everything", async () => {
    const { session } = opened;
    for await (const event of generate(session, request([PROMPT], { n: 4, maxNewTokens: 50, temperature: 1 }))) {
      if (event.type === "token" && event.index === 2) break;
    }
    expect(session.freeTokens).toBe(session.sizes.kvTokens);
    expect((await complete(session, request([PROMPT]))).ids).toHaveLength(12);
  });
});

describe("think budgets", () => {
  const tokenizer = byteLevelTokenizer();
  const close = tokenizer.thinkEndId ?? -1;
  const waitIds = tokenizer.encode("Wait");
  const thinking = (options: object, rest: object = {}) => ({
    ...request([], { temperature: 1, maxNewTokens: 20, seed: 6, ...options }, { tokenizer, ...rest }),
    prompts: [{ ids: PROMPT, startsInThink: true }],
  });

  it("force the end of the thought at the maximum, and say so", async () => {
    const { session } = opened;
    const { tokens, completions } = await collect(session, thinking({ thinkMax: 6 }));
    expect(tokens[6]).toMatchObject({ id: close, forced: "think-max", channel: "think", text: "" });
    expect(tokens[6]?.piece).toBeUndefined();
    const inspected = await collect(session, thinking({ thinkMax: 6, alternatives: 3 }));
    // A tag has no text for a reader, but a piece for one who looks at the token.
    expect(inspected.tokens[6]).toMatchObject({ id: close, text: "", piece: "</think>" });
    for (const { id, piece } of inspected.tokens[6]?.alternatives ?? []) expect(piece).toBe(tokenizer.decode([id]));
    expect(tokens.slice(0, 6).every(({ channel, forced }) => channel === "think" && !forced)).toBe(true);
    expect(tokens.slice(7).every(({ channel, forced }) => channel === "answer" && !forced)).toBe(true);
    const completion = completions[0]?.[0];
    const { positions } = await session.score([...PROMPT, ...(completion?.ids ?? [])]);
    // Its probability is the model's own, however small.
    completion?.logprobs.forEach((logprob, i) => {
      expect(Math.abs((positions[PROMPT.length - 1 + i]?.logprob ?? Number.NaN) - logprob)).toBeLessThan(1e-4);
    });
    expect(completion?.text).toBe(`${completion?.think}</think>${completion?.answer}`);
  });

  it("put Wait in the place of an end below the minimum", async () => {
    const { session } = opened;
    const free = await collect(session, thinking({}));
    const stop = free.tokens[3]?.id ?? -1;
    const first = free.tokens.findIndex(({ id }) => id === stop);
    const { tokens, completions } = await collect(session, thinking({ thinkMin: 12 }, { stopIds: [stop] }));
    const ids = tokens.map(({ id }) => id);
    expect(ids.slice(0, first)).toEqual(free.tokens.slice(0, first).map(({ id }) => id));
    expect(ids.slice(first, first + waitIds.length)).toEqual(waitIds);
    expect(tokens[first]?.forced).toBe("think-min");
    const completion = completions[0]?.[0];
    const { positions } = await session.score([...PROMPT, ...ids]);
    completion?.logprobs.forEach((logprob, i) => {
      expect(Math.abs((positions[PROMPT.length - 1 + i]?.logprob ?? Number.NaN) - logprob)).toBeLessThan(1e-4);
    });
  });

  it("do not reach into an answer", async () => {
    const { session } = opened;
    const what = thinking({ thinkMax: 4 });
    const prompts = [{ ids: PROMPT, startsInThink: false }];
    const { tokens } = await collect(session, { ...what, prompts });
    const unopened = await collect(session, { ...thinking({}), prompts });
    expect(tokens.map(({ id }) => id)).toEqual(unopened.tokens.map(({ id }) => id));
  });

  it("hold for each sample by itself", async () => {
    const { session } = opened;
    const { tokens } = await collect(session, thinking({ thinkMax: 5, n: 4 }));
    const bySample = (sample: number): TokenEvent[] => tokens.filter((token) => token.sample === sample);
    for (let i = 0; i < 4; i++) expect(bySample(i)[5]).toMatchObject({ id: close, forced: "think-max" });
    const alone = await complete(session, thinking({ thinkMax: 5 }));
    expect(bySample(0).map(({ id }) => id)).toEqual(alone.ids);
  });

  it("need a tokenizer that has the tag", async () => {
    expect(await refusal({ ...request([PROMPT], { thinkMax: 4 }) })).toMatch(/^E_OPTION: .*<\/think>/);
  });
});

describe("bad requests", () => {
  it.each([
    ["no tokens", [[]], {}, /^E_PROMPT_EMPTY/],
    ["a prompt as long as the context", [tokenIds(96, VOCAB)], {}, /^E_PROMPT_TOO_LONG: .*96 tokens.*96/],
    ["an id beyond the vocabulary", [[1, VOCAB]], {}, /^E_TOKEN_RANGE: token id 515.*0 to 514/],
    ["more samples than the session", [[1]], { n: 9 }, /^E_OPTION: n is 9.*8/],
  ])("%s", async (_, prompts, options, expected) => {
    expect(await refusal(request(prompts, options))).toMatch(expected);
    expect(opened.session.freeTokens).toBe(opened.session.sizes.kvTokens);
  });

  it("a group that the empty cache cannot hold", async () => {
    const small = await openFixture("qwen2-tiny-f16", { kvTokens: 40 });
    const what = request([PROMPT], { n: 4, temperature: 1, maxNewTokens: 30 });
    await expect(collect(small.session, what)).rejects.toMatchObject({ code: "E_KV_FULL" });
    expect(small.session.freeTokens).toBe(40);
    small.dispose();
  });

  it("a reply longer than the rest of the context is cut there", async () => {
    const { session } = opened;
    const { ids, finishReason } = await complete(session, request([tokenIds(90, VOCAB)], { maxNewTokens: 50 }));
    expect(ids).toHaveLength(6);
    expect(finishReason).toBe("length");
  });
});

describe("a reply that was cut off", () => {
  const OPTIONS = { temperature: 0.9, topK: 40, repetitionPenalty: 1.2, seed: 5 };
  const saidOf = (tokens: readonly TokenEvent[], sample: number, count: number) =>
    tokens.filter((token) => token.sample === sample).slice(0, count);
  const goOn = (what: ReturnType<typeof request>, said: readonly (readonly TokenEvent[])[]) => ({
    ...what,
    prompts: what.prompts.map((prompt) => ({ ...prompt, said })),
  });

  it("goes on as if it had not been, computing its cache from the ids", async () => {
    const what = request([PROMPT], { ...OPTIONS, maxNewTokens: 24 });
    const whole = await collect(opened.session, what);
    const rest = await collect(opened.session, goOn(what, [saidOf(whole.tokens, 0, 9)]));
    expect(rest.tokens.map(({ index }) => index)).toEqual(Array.from({ length: 15 }, (_, i) => 9 + i));
    expect(rest.completions[0]?.[0]?.ids).toEqual(whole.completions[0]?.[0]?.ids);
    expect(rest.completions[0]?.[0]?.logprobs.slice(0, 9)).toEqual(whole.completions[0]?.[0]?.logprobs.slice(0, 9));
    expect(rest.stats).toMatchObject({ promptTokens: PROMPT.length, completionTokens: 15 });
  });

  it("of several samples, each from its own place, also from none and from the end", async () => {
    const what = request([PROMPT], { ...OPTIONS, n: 3, maxNewTokens: 12 });
    const whole = await collect(opened.session, what);
    const said = [saidOf(whole.tokens, 0, 5), [], saidOf(whole.tokens, 2, 12)];
    const rest = await collect(opened.session, goOn(what, said));
    expect(rest.completions[0]?.map(({ ids }) => ids)).toEqual(whole.completions[0]?.map(({ ids }) => ids));
    expect(rest.completions[0]?.[2]?.finishReason).toBe("length");
    expect(rest.tokens.filter(({ sample }) => sample === 2)).toEqual([]);
    expect(rest.tokens).toHaveLength(7 + 12);
  });

  it("is refused with more than fits, more samples than asked for, or ids that are none", async () => {
    const what = request([PROMPT], OPTIONS);
    const token = { id: 3, logprob: 0, entropy: 0 };
    const said = (...samples: (typeof token)[][]) => ({ ...what, prompts: [{ ...what.prompts[0], said: samples }] });
    const refused = (tokens: ReturnType<typeof said>) => refusal(tokens as ReturnType<typeof request>);
    expect(await refused(said(Array.from({ length: 96 }, () => token)))).toMatch(/^E_PROMPT_TOO_LONG: 107/);
    expect(await refused(said([token], [token]))).toMatch(/^E_OPTION: 2 samples/);
    expect(await refused(said([{ ...token, id: VOCAB }]))).toMatch(/^E_TOKEN_RANGE/);
  });
});
