import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hasData } from "../testing-data.ts";
import type { ChannelTexts } from "./channels.ts";
import { splitThought, taggedAnswer, TextSplitter } from "./split.ts";
import type { ThoughtSplit } from "./split.ts";
import { cuts } from "./testing/cut.ts";
import { readData, titleWithData } from "./testing/data.ts";

/** The deltas joined, as a reader sees them, and the result at the end. */
function stream(pieces: readonly string[], startsInThink: boolean): { deltas: ChannelTexts; end: ThoughtSplit } {
  const splitter = new TextSplitter({ startsInThink });
  const deltas = [...pieces.map((piece) => splitter.push(piece)), splitter.flush()];
  const join = (channel: "think" | "answer"): string => deltas.map((delta) => delta[channel]).join("");
  return { deltas: { think: join("think"), answer: join("answer") }, end: splitter.result() };
}

interface Row extends ThoughtSplit {
  readonly title: string;
  readonly startsInThink: boolean;
  readonly text: string;
  /** What the deltas say, where only the end of the text tells better. */
  readonly deltas?: ChannelTexts;
}

/** Outputs of a prompt that opened the thought. */
const OPENED: readonly Omit<Row, "startsInThink">[] = [
  { title: "a thought that the prompt opened", text: "why</think>so", think: "why", answer: "so", closed: true },
  { title: "nothing", text: "", think: "", answer: "", closed: false },
  {
    title: "an unfinished thought",
    text: "still thinking </thi",
    think: "still thinking </thi",
    answer: "",
    closed: false,
  },
  { title: "another unfinished thought", text: "why </thin", think: "why </thin", answer: "", closed: false },
  {
    title: "comparisons that look like tags",
    text: "a<b <<think> </think>x < y </",
    think: "a<b <<think> ",
    answer: "x < y </",
    closed: true,
  },
  {
    title: "tags quoted in the answer",
    text: "a</think>b <think> and </think>",
    think: "a",
    answer: "b <think> and </think>",
    closed: true,
  },
  { title: "an answer in tags", text: "a</think><answer>4</answer>", think: "a", answer: "4", closed: true },
  {
    title: "an answer before its tags",
    text: "a</think>So: <answer>4</answer> done",
    think: "a",
    answer: "4",
    closed: true,
    deltas: { think: "a", answer: "So: 4 done" },
  },
  {
    title: "the last of several answers",
    text: "a</think><answer>4</answer> no, <answer>5</answer>",
    think: "a",
    answer: "5",
    closed: true,
    deltas: { think: "a", answer: "4 no, 5" },
  },
  { title: "an unfinished answer", text: "a</think><answer>4</ans", think: "a", answer: "4</ans", closed: true },
  {
    title: "answer tags in the thought",
    text: "<answer>3</answer>?</think>4",
    think: "<answer>3</answer>?",
    answer: "4",
    closed: true,
  },
];

/** Outputs of a prompt that did not. */
const UNOPENED: readonly Omit<Row, "startsInThink">[] = [
  {
    title: "a thought that the output opens",
    text: "<think>why</think>so",
    think: "why",
    answer: "so",
    closed: true,
  },
  {
    title: "newlines beside the tags",
    text: "<think>\nwhy\n</think>\n\nso",
    think: "\nwhy\n",
    answer: "\n\nso",
    closed: true,
  },
  {
    title: "white space before the opening tag",
    text: " \n<think>\nwhy\n</think>\n\nso\n",
    think: "\nwhy\n",
    answer: "\n\nso\n",
    closed: true,
    deltas: { think: "\nwhy\n", answer: " \n\n\nso\n" },
  },
  {
    title: "words before the opening tag",
    text: "Well. <think>why</think>so",
    think: "why",
    answer: "Well. so",
    closed: true,
  },
  { title: "no thought", text: "just so", think: "", answer: "just so", closed: false },
  { title: "the words that name one", text: "no thought", think: "", answer: "no thought", closed: false },
  {
    title: "an end without a beginning",
    text: "why</think>so",
    think: "why",
    answer: "so",
    closed: true,
    deltas: { think: "", answer: "whyso" },
  },
  {
    title: "R1-Zero's answer tags",
    text: "<think>a</think>\n<answer> 4 </answer>\n",
    think: "a",
    answer: " 4 ",
    closed: true,
    deltas: { think: "a", answer: "\n 4 \n" },
  },
  { title: "a closing answer tag alone", text: "4</answer>", think: "", answer: "4</answer>", closed: false },
];

const ROWS: readonly Row[] = [
  ...OPENED.map((row) => ({ ...row, startsInThink: true })),
  ...UNOPENED.map((row) => ({ ...row, startsInThink: false })),
];

describe("splitting a thought from its answer", () => {
  it.each(ROWS)("$title: $text", ({ text, startsInThink, think, answer, closed, deltas }) => {
    const whole = { think, answer, closed };
    expect(splitThought(text, { startsInThink })).toEqual(whole);
    for (const pieces of cuts(text)) {
      expect(stream(pieces, startsInThink)).toEqual({ deltas: deltas ?? { think, answer }, end: whole });
    }
  });

  it("does not depend on how the text is cut", () => {
    const part = fc.oneof(
      fc.constantFrom("<think>", "</think>", "<answer>", "</answer>", "<", "</th", "\n", " ", "so", "𝑥"),
      fc.string({ unit: "binary", maxLength: 4 }),
    );
    const text = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(""));
    const cutAt = fc.array(fc.nat(80), { maxLength: 8 });
    fc.assert(
      fc.property(text, fc.boolean(), cutAt, (value, startsInThink, at) => {
        const edges = [0, ...at.filter((edge) => edge <= value.length).toSorted((a, b) => a - b), value.length];
        const pieces = edges.slice(1).map((edge, i) => value.slice(edges[i], edge));
        const whole = stream([value], startsInThink);
        expect(stream(pieces, startsInThink)).toEqual(whole);
        expect(whole.end).toEqual(splitThought(value, { startsInThink }));
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("answer in tags", () => {
  it.each([
    ["<think>a</think> <answer> 4 </answer>", " 4 "],
    ["a</think><answer>4</answer>", "4"],
    ["<answer>4</answer>", "4"],
    ["<think>a</think><answer></answer>", ""],
    ["<think>a</think><answer>4</answer> or <answer>5</answer>", "5"],
    ["<think>a</think><answer>4</answer> or <answer>5", "4"],
    ["<think>a</think><answer>4</ans", undefined],
    ["<think>a</think>4</answer>", undefined],
    ["<think><answer>3</answer>", undefined],
    ["<answer>3</answer> no</think>so", undefined],
    ["so", undefined],
  ])("%j: %j", (text, expected) => {
    expect(taggedAnswer(text)).toBe(expected);
  });
});

const LLAMA_CPP = "chat-template/r1-reasoning-split.json";
const VLLM = "chat-template/vllm-deepseek-r1-reasoning-parser.json";

describe.skipIf(!hasData(LLAMA_CPP))(titleWithData("llama.cpp's reasoning cases", LLAMA_CPP), () => {
  interface Case {
    readonly generated: string;
    readonly thinking_forced_open?: boolean;
    readonly prefill?: { readonly reasoning: string; readonly content: string };
    readonly reasoning: string;
    readonly content: string;
  }

  const { cases } = hasData(LLAMA_CPP) ? readData<{ readonly cases: readonly Case[] }>(LLAMA_CPP) : { cases: [] };

  it("are equal whole and in pieces of every size", () => {
    expect(cases).toHaveLength(4);
    for (const { generated, thinking_forced_open = false, prefill, reasoning, content } of cases) {
      const expected = { think: reasoning, answer: content };
      // A prefilled reply: its beginning is split with the rest.
      const begun = prefill ? `<think>${prefill.reasoning}${prefill.content && `</think>${prefill.content}`}` : "";
      expect(splitThought(begun + generated, { startsInThink: thinking_forced_open })).toMatchObject(expected);
      for (const pieces of cuts(generated)) {
        const { deltas, end } = stream([begun, ...pieces], thinking_forced_open);
        expect(deltas).toEqual(expected);
        expect(end).toMatchObject(expected);
      }
    }
  });

  // The prefilled beginning is then part of the prompt, which ends inside its thought if no answer has begun.
  it("are equal when only the generated text is split", () => {
    for (const { generated, thinking_forced_open, prefill, reasoning, content } of cases) {
      const startsInThink = thinking_forced_open ?? prefill?.content === "";
      const whole = splitThought(generated, { startsInThink });
      for (const { deltas, end } of cuts(generated).map((pieces) => stream(pieces, startsInThink))) {
        expect((prefill?.reasoning ?? "") + deltas.think).toBe(reasoning);
        expect((prefill?.content ?? "") + deltas.answer).toBe(content);
        expect(whole).toMatchObject(deltas);
        expect(end).toEqual(whole);
      }
    }
  });
});

describe.skipIf(!hasData(VLLM))(titleWithData("vLLM's DeepSeek-R1 cases", VLLM), () => {
  interface Case {
    readonly output: string;
    readonly reasoning: string | null;
    readonly content: string | null;
    readonly is_reasoning_end: boolean;
    readonly mode: "both" | "full" | "stream";
  }

  /*
   * vLLM tells "nothing" (null) from "empty"; here both are the empty string. Its two modes differ in one case: white space
   * before an opening tag has gone out when the tag comes in a stream, and belongs to nothing when the whole is seen. That is
   * the difference between the joined deltas and the result.
   */
  it("are equal whole and in pieces of every size", () => {
    const { cases } = readData<{ readonly cases: readonly Case[] }>(VLLM);
    expect(cases).toHaveLength(15);
    for (const { output, reasoning, content, is_reasoning_end: closed, mode } of cases) {
      const expected = { think: reasoning ?? "", answer: content ?? "" };
      const results: unknown[] = [];
      if (mode !== "stream") results.push(splitThought(output, { startsInThink: true }));
      for (const pieces of cuts(output)) {
        const { deltas, end } = stream(pieces, true);
        expect(end.closed).toBe(closed);
        if (mode !== "full") results.push({ ...deltas, closed });
        if (mode !== "stream") results.push(end);
      }
      for (const result of results) expect(result, output).toEqual({ ...expected, closed });
    }
  });
});
