import * as v from "valibot";
import { R1Error } from "../../errors.ts";
import type { GenerateEvent, TokenEvent } from "../../engine/protocol.ts";

/** A recorded trace is small: it is precached, and plays before anything else is there. */
const MAX_TRACE_CHARACTERS = 2_000_000;
const CHANNELS = ["think", "answer"] as const;

const nameSchema = v.pipe(v.string(), v.regex(/^[\w-][\w.-]{0,63}$/));
const finite = v.pipe(v.number(), v.finite());
const count = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000_000));
const short = v.pipe(v.string(), v.maxLength(200));
const prose = v.pipe(v.string(), v.maxLength(8000));

/** `[at, channel, text, id, logprob, entropy]`: milliseconds, an index of `CHANNELS`, and nats. */
const tokenSchema = v.strictTuple([
  v.pipe(finite, v.minValue(0)),
  v.picklist([0, 1]),
  short,
  count,
  v.pipe(finite, v.maxValue(0)),
  v.pipe(finite, v.minValue(0)),
]);

const traceSchema = v.object({
  version: v.literal(1),
  /** The model's name, and what it ran on. */
  model: short,
  device: short,
  recorded: v.pipe(v.string(), v.isoTimestamp()),
  turns: v.pipe(
    v.array(
      v.object({
        question: prose,
        prefilledAt: v.pipe(finite, v.minValue(0)),
        stats: v.object({
          promptTokens: count,
          cachedTokens: count,
          completionTokens: count,
          prefillMs: finite,
          decodeMs: finite,
          tokensPerSecond: finite,
        }),
        replies: v.pipe(
          v.array(
            v.object({
              finish: v.picklist(["stop", "length"]),
              tokens: v.pipe(v.array(tokenSchema), v.maxLength(8192)),
            }),
          ),
          v.minLength(1),
          v.maxLength(16),
        ),
      }),
    ),
    v.minLength(1),
    v.maxLength(32),
  ),
});

/** What a model said to a few questions, with the time of each token. */
export type Trace = v.InferOutput<typeof traceSchema>;
export type RecordedTurn = Trace["turns"][number];

/** @throws R1Error E_FORMAT naming the field */
export function parseTrace(name: string, json: string): Trace {
  const schema = v.pipe(v.string(), v.maxLength(MAX_TRACE_CHARACTERS), v.parseJson(), traceSchema);
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new R1Error("E_FORMAT", `traces/${name}.json: ${v.getDotPath(issue) ?? "the file"}: ${issue.message}`);
}

/**
 * A trace that comes with the page: the one of this name, else the first of the list.
 * @throws R1Error E_HTTP, E_FORMAT
 */
export async function fetchTrace(wanted?: string): Promise<Trace> {
  const names = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(nameSchema)), await fetchText("index"));
  const first = names.success ? names.output[0] : undefined;
  if (!names.success || first === undefined) {
    throw new R1Error("E_FORMAT", "traces/index.json: expected a list of at least one name");
  }
  const name = names.output.find((one) => one === wanted) ?? first;
  return parseTrace(name, await fetchText(name));
}

async function fetchText(name: string): Promise<string> {
  const url = new URL(`traces/${name}.json`, document.baseURI);
  const response = await fetch(url).catch((cause: unknown) => {
    throw new R1Error("E_HTTP", `${url.href}: the connection failed`, {}, { cause });
  });
  if (!response.ok) throw new R1Error("E_HTTP", `${url.href}: the server answered ${response.status}; expected 200`);
  return response.text();
}

/** The events that the engine gave, for its first samples, in the order of their times. */
export function eventsOf(turn: RecordedTurn, samples: number): GenerateEvent[] {
  const replies = turn.replies.slice(0, samples);
  const tokens = replies
    .flatMap((reply, sample) => reply.tokens.map((token, index) => tokenEvent(token, sample, index)))
    .toSorted((a, b) => a.at - b.at);
  const finished = replies.map((reply, sample): GenerateEvent => ({
    type: "finished",
    prompt: 0,
    sample,
    completion: {
      ids: reply.tokens.map(([, , , id]) => id),
      text: textOf(reply.tokens),
      think: textOf(reply.tokens, "think"),
      answer: textOf(reply.tokens, "answer"),
      logprobs: reply.tokens.map(([, , , , logprob]) => logprob),
      entropies: reply.tokens.map(([, , , , , entropy]) => entropy),
      finishReason: reply.finish,
    },
  }));
  const { promptTokens, cachedTokens } = turn.stats;
  return [
    { type: "prefilled", prompt: 0, promptTokens, cachedTokens, at: turn.prefilledAt },
    ...tokens,
    ...finished,
    { type: "done", stats: turn.stats },
  ];
}

type Token = RecordedTurn["replies"][number]["tokens"][number];

function tokenEvent([at, channel, text, id, logprob, entropy]: Token, sample: number, index: number): TokenEvent {
  return { type: "token", prompt: 0, sample, index, id, text, channel: CHANNELS[channel], logprob, entropy, at };
}

function textOf(tokens: readonly Token[], channel?: (typeof CHANNELS)[number]): string {
  return tokens
    .filter((token) => channel === undefined || CHANNELS[token[1]] === channel)
    .map(([, , text]) => text)
    .join("");
}
