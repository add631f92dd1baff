import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Turn } from "../playground/turn.ts";
import { playTrace } from "./play-trace.ts";
import { eventsOf, parseTrace } from "./trace.ts";

const TRACES = join(import.meta.dirname, "../../../public/traces");
const read = (name: string) => readFileSync(join(TRACES, `${name}.json`), "utf8");
const names = JSON.parse(read("index")) as string[];
const [first = ""] = names;

describe("the traces that come with the page", () => {
  it("are all in the list", () => {
    const files = readdirSync(TRACES).map((file) => file.replace(/\.json$/, ""));
    expect([...names, "index"].toSorted()).toEqual(files.toSorted());
  });

  it.each(names)("%s gives the events of its streams in order, ending with the figures", (name) => {
    for (const turn of parseTrace(name, read(name)).turns) {
      const events = eventsOf(turn, 2);
      const times = events.flatMap((event) => (event.type === "token" ? [event.at] : []));
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.length).toBe(turn.stats.completionTokens);
      expect(events[0]?.type).toBe("prefilled");
      expect(events.at(-1)).toEqual({ type: "done", stats: turn.stats });
    }
  });

  it.each([
    ["{", /the file/],
    ['{"version":2}', /version/],
    [read(first).replace('"finish":"', '"finish":"x'), /turns\.0\.replies\.0\.finish/],
    [read(first).replace(/\[\[\d+/, "[[-1"), /turns\.0\.replies\.0\.tokens\.0\.0/],
  ])("are refused with the field's name when they are broken: %s", (json, field) => {
    expect(() => parseTrace("t", json)).toThrow(field);
    expect(() => parseTrace("t", json)).toThrow(expect.objectContaining({ code: "E_FORMAT" }));
  });
});

describe("playing a trace", () => {
  const [recorded] = parseTrace("t", read(first)).turns;
  if (!recorded) throw new Error("the trace is empty");
  const quick = {
    ...recorded,
    replies: recorded.replies.map((reply) => ({
      ...reply,
      tokens: reply.tokens.map(([, ...rest], i) => [10 * i, ...rest] as (typeof reply.tokens)[number]),
    })),
  };

  it("shows it grow, and ends with what was recorded", async () => {
    const shown: Turn[] = [];
    const { signal } = new AbortController();
    await playTrace(quick, { samples: 1, signal, show: (turn) => shown.push(turn) });
    expect(shown.length).toBeGreaterThan(1);
    const [reply] = shown.at(-1)?.replies ?? [];
    const all = quick.replies[0]?.tokens.map(([, , text]) => text).join("");
    expect(reply).toMatchObject({ phase: "finished", finish: quick.replies[0]?.finish });
    expect(`${reply?.think}${reply?.answer}`).toBe(all);
    expect(shown.at(-1)).toMatchObject({ question: quick.question, stats: quick.stats });
  });

  it("shows the end at once where nothing shall move", async () => {
    const shown: Turn[] = [];
    const { signal } = new AbortController();
    await playTrace(recorded, { samples: 2, isInstant: true, signal, show: (turn) => shown.push(turn) });
    expect(shown).toHaveLength(1);
    expect(shown[0]?.replies.map(({ phase }) => phase)).toEqual(["finished", "finished"]);
  });

  it("stops when it is left", async () => {
    const leave = new AbortController();
    const slow = { ...recorded, prefilledAt: 60_000 };
    const playing = playTrace(slow, { samples: 1, signal: leave.signal, show: () => undefined });
    leave.abort();
    await expect(playing).resolves.toBeUndefined();
  });
});
