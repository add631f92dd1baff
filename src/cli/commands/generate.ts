import { generate } from "../../generate/generate.ts";
import type { GeneratePrompt } from "../../generate/generate.ts";
import type { Completion, GenerateEvent, GenerateStats } from "../../generate/events.ts";
import { resolveOptions } from "../../generate/options.ts";
import type { GenerateOptions } from "../../generate/options.ts";
import type { KvChoice } from "../../model/kv-format.ts";
import { Session } from "../../model/session.ts";
import { buildPrompt } from "../../text/chat.ts";
import { promptOpensThink } from "../../text/channels.ts";
import { createNodeTemplateHost } from "../../text/node/node-template-host.ts";
import { requireTemplate } from "../../text/template.ts";
import { UsageError } from "../args.ts";
import type { Args } from "../args.ts";
import type { Command } from "../command.ts";
import { KV_OPTION, KV_USAGE, kvFromArgs, loadFromArgs, MODEL_OPTIONS, withKv } from "../engine.ts";
import type { LoadedPath } from "../engine.ts";
import { interruptible } from "../signals.ts";
import { loadTextAssets, requireTokenizer } from "../../model/text-assets.ts";
import { readMessages } from "./text.ts";

/** Option names of the command line and of the engine. */
const NUMBERS = {
  "max-new-tokens": "maxNewTokens",
  temperature: "temperature",
  "top-p": "topP",
  "top-k": "topK",
  "min-p": "minP",
  "repetition-penalty": "repetitionPenalty",
  seed: "seed",
  n: "n",
  "think-min": "thinkMin",
  "think-max": "thinkMax",
} as const satisfies Record<string, keyof GenerateOptions>;

type Assets = Awaited<ReturnType<typeof loadTextAssets>>;

export const generateCommand: Command = {
  name: "generate",
  usage: `--model <path> (--prompt T | --messages F.json | --ids 5,6,7) [--greedy] [${Object.keys(NUMBERS)
    .map((name) => `--${name} N`)
    .join("] [")}] [--parse-special] [--weights FORMAT] ${KV_USAGE} [--events]`,
  summary: "thoughts and answers, n samples in one batch",
  options: {
    ...MODEL_OPTIONS,
    ...KV_OPTION,
    prompt: { type: "string" },
    messages: { type: "string" },
    ids: { type: "string" },
    greedy: { type: "boolean" },
    events: { type: "boolean" },
    "parse-special": { type: "boolean" },
    ...Object.fromEntries(Object.keys(NUMBERS).map((name) => [name, { type: "string" as const }])),
  },
  async run(args) {
    const asked = ["prompt", "messages", "ids"].filter((name) => args.text(name) !== undefined);
    if (asked.length !== 1) throw new UsageError("give one of --prompt, --messages and --ids");
    const messages = args.text("messages") === undefined ? undefined : readMessages(args.required("messages"));
    const options = optionsFromArgs(args);
    const kv = kvFromArgs(args);
    const begun = performance.now();
    const loaded = await loadFromArgs(args);
    const loadMs = performance.now() - begun;
    const assets = await loadTextAssets(loaded.folder);
    const given = args.ids("ids");
    const { ids, startsInThink } = given
      ? { ids: given, startsInThink: assets.tokenizer !== undefined && promptOpensThink(given, assets.tokenizer) }
      : await promptIds(
          loaded,
          assets,
          messages ?? [{ role: "user" as const, content: args.required("prompt") }],
          args.flag("parse-special"),
        );
    const prompt = { ids, startsInThink };
    const { completions, stats, events, gpuBytes } = await complete(loaded, assets, prompt, options, kv);
    const json = {
      completions: completions.map(({ ids: out, text, think, answer, logprobs, entropies, finishReason }) => ({
        ids: out,
        text,
        think,
        answer,
        logprobs,
        entropies,
        finish_reason: finishReason,
      })),
      stats: {
        prompt_tokens: stats?.promptTokens,
        completion_tokens: stats?.completionTokens,
        prefill_ms: stats?.prefillMs,
        decode_ms: stats?.decodeMs,
        tokens_per_second: stats?.tokensPerSecond,
        load_ms: loadMs,
        gpu_bytes: gpuBytes,
      },
      ...(args.flag("events") ? { events, device: loaded.context.adapter.description } : {}),
    };
    const text = completions.map(({ think, answer, ids: out }) =>
      assets.tokenizer ? (think ? `<think>\n${think}\n</think>\n${answer}` : answer) : out.join(","),
    );
    return { json, text: text.join("\n\n----\n\n") };
  },
};

function optionsFromArgs(args: Args): GenerateOptions {
  const given = Object.entries(NUMBERS).flatMap(([flag, name]) => {
    const value = args.number(flag);
    return value === undefined ? [] : [[name, value] as const];
  });
  return resolveOptions({ ...Object.fromEntries(given), ...(args.flag("greedy") ? { temperature: 0 } : {}) });
}

async function promptIds(
  { folder }: LoadedPath,
  assets: Assets,
  messages: Parameters<typeof buildPrompt>[0]["messages"],
  parseSpecial: boolean,
) {
  const host = createNodeTemplateHost();
  try {
    const tokenizer = requireTokenizer(assets, folder);
    return await buildPrompt({ messages, template: requireTemplate(assets.template), tokenizer, host, parseSpecial });
  } finally {
    host.dispose();
  }
}

async function complete(
  loaded: LoadedPath,
  { tokenizer, eosIds }: Assets,
  prompt: GeneratePrompt,
  options: GenerateOptions,
  kv: KvChoice,
): Promise<{ completions: Completion[]; stats: GenerateStats | undefined; events: GenerateEvent[]; gpuBytes: number }> {
  const { model, context: gpu } = loaded;
  const { ids } = prompt;
  const context = Math.min(model.spec.maxPositions, ids.length + options.maxNewTokens);
  const sizes = withKv(loaded, kv, {
    maxSequences: options.n,
    contextTokens: context,
    kvTokens: options.n === 1 ? context : ids.length + options.n * Math.min(options.maxNewTokens, context),
    prefillRows: Math.min(256, Math.max(16, ids.length)),
  });
  const session = await Session.create(model, sizes);
  const completions: Completion[] = [];
  const events: GenerateEvent[] = [];
  let stats: GenerateStats | undefined;
  const request = {
    prompts: [prompt],
    options,
    stopIds: eosIds,
    ...(tokenizer ? { tokenizer } : {}),
  };
  const stop = interruptible("stopping; what has been written so far is the result");
  try {
    for await (const event of generate(session, { ...request, signal: stop.signal })) {
      events.push(event);
      if (event.type === "finished") completions[event.sample] = event.completion;
      if (event.type === "done") stats = event.stats;
    }
  } finally {
    stop.dispose();
  }
  return { completions, stats, events, gpuBytes: gpu.arena.liveBytes };
}
