import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./install.mjs";

/**
 * Records what a built-in model says into public/traces/<folder>.json, which the page plays where it has no GPU:
 *
 *     node scripts/record-trace.mjs <folder> [--device auto|software] [question …]
 *
 * Without questions, its examples in public/models/index.json are asked. The newest trace is the page's first.
 */

/** So that two can be shown side by side. */
const SAMPLES = 2;
const SEED = 1;
const CHANNELS = ["think", "answer"];

/** Three significant digits are more than a chart shows. */
const round = (value) => Number(value.toPrecision(3));

/** A turn of a trace (src/app/traces/trace.ts) from the events of a generation. */
export function recordedTurn(question, events) {
  const replies = events
    .filter(({ type }) => type === "finished")
    .toSorted((a, b) => a.sample - b.sample)
    .map(({ sample, completion }) => ({
      finish: completion.finishReason,
      tokens: events
        .filter((event) => event.type === "token" && event.sample === sample)
        .map(({ at, channel, text, id, logprob, entropy }) => [
          Math.round(at),
          CHANNELS.indexOf(channel),
          text,
          id,
          Math.min(0, round(logprob)),
          Math.max(0, round(entropy)),
        ]),
    }));
  const prefilledAt = Math.round(events.find(({ type }) => type === "prefilled").at);
  const { stats } = events.find(({ type }) => type === "done");
  return {
    question,
    prefilledAt,
    stats: Object.fromEntries(Object.entries(stats).map(([name, value]) => [name, round(value)])),
    replies,
  };
}

/** Its questions in every language. */
const examplesOf = ({ examples }) => examples;

function ask(folder, question, settings, device) {
  const flags = {
    model: join(root, "public/models", folder),
    prompt: question,
    seed: SEED,
    n: SAMPLES,
    device,
    ...(settings.thinkMax ? { "think-max": settings.thinkMax } : {}),
    ...(settings.maxNewTokens ? { "max-new-tokens": settings.maxNewTokens } : {}),
    ...(settings.temperature === undefined ? {} : { temperature: settings.temperature }),
    ...(settings.topP === undefined ? {} : { "top-p": settings.topP }),
  };
  const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const command = [join(root, "scripts/r1.mjs"), "generate", ...args, "--events", "--json"];
  return JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8", maxBuffer: 2 ** 28 }));
}

function main(args) {
  const at = args.indexOf("--device");
  const [, device = "auto"] = at < 0 ? [] : args.splice(at, 2);
  const [folder, ...questions] = args;
  const models = JSON.parse(readFileSync(join(root, "public/models/index.json"), "utf8"));
  const model = models.find((one) => one.folder === folder);
  if (!model) throw new Error(`no built-in model ${folder}; there are ${models.map((one) => one.folder).join(", ")}`);
  const asked = questions.length > 0 ? questions : [...new Set(examplesOf(model).flatMap(Object.values))];
  const answers = asked.map((question) => ask(folder, question, model.settings, device));
  const trace = {
    version: 1,
    model: model.name,
    device: answers[0].device,
    recorded: new Date().toISOString(),
    turns: answers.map(({ events }, i) => recordedTurn(asked[i], events)),
  };
  const traces = join(root, "public/traces");
  mkdirSync(traces, { recursive: true });
  const json = `${JSON.stringify(trace)}\n`;
  writeFileSync(join(traces, `${folder}.json`), json);
  const index = join(traces, "index.json");
  const names = existsSync(index) ? JSON.parse(readFileSync(index, "utf8")) : [];
  writeFileSync(index, `${JSON.stringify([folder, ...names.filter((name) => name !== folder)])}\n`);
  console.log(`${folder}: ${trace.turns.length} questions, ${json.length} characters`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main(process.argv.slice(2));
