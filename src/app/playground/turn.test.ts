import { describe, expect, it } from "vitest";
import { R1Error } from "../../errors.ts";
import type { Completion, GenerateCall, GenerateEvent } from "../../engine/protocol.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";
import { messagesOf, streamTurn } from "./stream-turn.ts";
import { advance, newTurn, stopped } from "./turn.ts";
import type { Turn } from "./turn.ts";

const PLACE = { id: 1, parent: 0, asked: 1, number: 1 };

const token = (channel: "think" | "answer", text: string, at: number, sample = 0): GenerateEvent => ({
  type: "token",
  prompt: 0,
  sample,
  index: 0,
  id: 0,
  text,
  channel,
  logprob: 0,
  entropy: 0,
  at,
});
const finished = (think: string, answer: string, sample = 0): GenerateEvent => {
  const completion = { think, answer, finishReason: "stop" } as Completion;
  return { type: "finished", prompt: 0, sample, completion };
};

describe("a turn", () => {
  it("goes from waiting over the thought to the answer, timed by the engine's clock", () => {
    let turn = newTurn(PLACE, "Why?", 1, 1000);
    expect(turn.replies[0]?.phase).toBe("waiting");
    // The engine began at 1500 by the page's clock; messages arrive a little late.
    turn = advance(turn, { type: "prefilled", prompt: 0, promptTokens: 3, cachedTokens: 0, at: 100 }, 1600);
    turn = advance(turn, token("think", "Hm", 200), 1709);
    turn = advance(turn, token("think", "m", 300), 1808);
    expect(turn).toMatchObject({ engineStart: 1500, firstTokenMs: 700 });
    expect(turn.replies[0]).toMatchObject({
      phase: "think",
      think: "Hmm",
      thinkTokens: 2,
      thinkStart: 1700,
      thinkEnd: 1800,
    });
    turn = advance(turn, token("answer", "Yes", 400), 1900);
    expect(turn.replies[0]).toMatchObject({ phase: "answer", answer: "Yes", think: "Hmm" });
    turn = advance(turn, finished("Hmm", "Yes."), 1900);
    expect(turn.replies[0]).toMatchObject({ phase: "finished", answer: "Yes.", finish: "stop" });
  });

  it("keeps its samples apart", () => {
    let turn = newTurn(PLACE, "Why?", 2, 0);
    turn = advance(turn, token("think", "a", 1, 0), 1);
    turn = advance(turn, token("answer", "b", 1, 1), 1);
    expect(turn.replies.map(({ think, answer }) => [think, answer])).toEqual([
      ["a", ""],
      ["", "b"],
    ]);
  });

  it("stays stopped while its last tokens arrive, and keeps what had finished", () => {
    let turn = advance(newTurn(PLACE, "Why?", 2, 0), finished("", "done", 1), 1);
    turn = stopped(advance(turn, token("think", "a", 1, 0), 1));
    turn = advance(turn, token("think", "b", 2, 0), 2);
    expect(turn.replies[0]).toMatchObject({ phase: "finished", finish: "aborted", think: "ab" });
    expect(turn.replies[1]).toMatchObject({ phase: "finished", finish: "stop", answer: "done" });
  });
});

describe("the conversation for the model", () => {
  const turnOf = (question: string, answer: string): Turn =>
    advance(newTurn(PLACE, question, 1, 0), finished("secret", answer), 0);

  it("goes on from the picked sample", () => {
    let turn = advance(newTurn(PLACE, "a", 2, 0), finished("", "1", 0), 0);
    turn = advance(turn, finished("", "2", 1), 0);
    expect(messagesOf([{ ...turn, picked: 1 }], "b")[1]).toEqual({ role: "assistant", content: "2" });
  });

  it("has questions and first answers without thoughts, and leaves out what was never answered", () => {
    const turns = [turnOf("a", "1"), turnOf("b", ""), turnOf("c", "3")];
    expect(messagesOf(turns, "d")).toEqual([
      { role: "user", content: "a" },
      { role: "assistant", content: "1" },
      { role: "user", content: "c" },
      { role: "assistant", content: "3" },
      { role: "user", content: "d" },
    ]);
  });
});

describe("streaming a turn", () => {
  const question = { place: PLACE, text: "Why?", before: [], settings: DEFAULT_SETTINGS };
  const engineOf = (events: (call: GenerateCall) => AsyncGenerator<GenerateEvent>) => ({ generate: events });

  it("asks with the settings and shows the end", async () => {
    const shown: Turn[] = [];
    let asked: GenerateCall | undefined;
    const engine = engineOf(async function* (call) {
      asked = call;
      yield token("answer", "Yes", 1);
      yield finished("", "Yes");
    });
    await streamTurn(engine, question, new AbortController().signal, (turn) => shown.push(turn));
    expect(asked).toEqual({
      prompt: { messages: [{ role: "user", content: "Why?" }] },
      options: { ...DEFAULT_SETTINGS, alternatives: 8 },
    });
    expect(shown[0]?.replies[0]?.phase).toBe("waiting");
    expect(shown.at(-1)?.replies[0]).toMatchObject({ phase: "finished", finish: "stop", answer: "Yes" });
  });

  it("keeps what had streamed when it fails", async () => {
    const shown: Turn[] = [];
    const engine = engineOf(async function* () {
      yield token("think", "Hm", 1);
      throw new R1Error("E_DEVICE_LOST", "gone");
    });
    const streaming = streamTurn(engine, question, new AbortController().signal, (turn) => shown.push(turn));
    await expect(streaming).rejects.toMatchObject({ code: "E_DEVICE_LOST" });
    expect(shown.at(-1)?.replies[0]).toMatchObject({ phase: "finished", finish: "aborted", think: "Hm" });
  });

  it("goes on with a turn that was cut off, from its tokens", async () => {
    const shown: Turn[] = [];
    const failing = engineOf(async function* () {
      yield token("think", "Hm", 1);
      throw new R1Error("E_DEVICE_LOST", "gone");
    });
    const show = (turn: Turn): void => void shown.push(turn);
    const { signal } = new AbortController();
    await streamTurn(failing, question, signal, show).catch(() => undefined);
    const from = shown.at(-1);
    if (!from) throw new Error("nothing was shown");
    let asked: GenerateCall | undefined;
    const engine = engineOf(async function* (call) {
      asked = call;
      expect(shown.at(-1)?.replies[0]).toMatchObject({ phase: "think", think: "Hm", finish: undefined });
      yield token("answer", "Yes", 2);
      yield finished("Hm", "Yes");
    });
    await streamTurn(engine, { ...question, from }, signal, show);
    const [said] = from.replies[0]?.tokens[0] ?? [];
    expect(asked?.said).toEqual([[{ id: said?.id, logprob: said?.logprob, entropy: said?.entropy }]]);
    expect(asked?.prompt).toEqual({ messages: [{ role: "user", content: "Why?" }] });
    expect(shown.at(-1)?.replies[0]).toMatchObject({ phase: "finished", finish: "stop", think: "Hm", answer: "Yes" });
    expect(shown.at(-1)?.replies[0]?.tokens.flat()).toHaveLength(2);
  });

  it("shows a stop at once, before the engine has answered", async () => {
    const shown: Turn[] = [];
    const abort = new AbortController();
    const engine = engineOf(async function* () {
      yield token("think", "Hm", 1);
      abort.abort();
      expect(shown.at(-1)?.replies[0]).toMatchObject({ phase: "finished", finish: "aborted", think: "Hm" });
    });
    await streamTurn(engine, question, abort.signal, (turn) => shown.push(turn));
    expect.assertions(1);
  });
});
