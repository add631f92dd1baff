import { resolve } from "node:path";
import { R1Error } from "../../errors.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { createNodeTemplateHost } from "../../text/node/node-template-host.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { parseSftConfig } from "../../train/config/sft-config.ts";
import type { TrainEvent } from "../../train/events.ts";
import { parseRunRecord } from "../../train/record/read.ts";
import { VERSION } from "../../train/record/run-record.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import { writeEvent, writeRunHeader } from "../../train/record/write.ts";
import type { RunEnvironment } from "../../train/run/environment.ts";
import { trainGrpo } from "../../train/run/grpo.ts";
import { resumeStep } from "../../train/run/state.ts";
import { trainSft } from "../../train/run/sft.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { note } from "../command.ts";
import { openDevice } from "../engine.ts";
import { modelPath } from "../model-path.ts";
import { datasetReader, pathsOf, readConfig } from "../run-config.ts";
import { RunFolder } from "../run-folder.ts";
import { plannedPeak, planGrpo } from "./train-plan.ts";

export const trainCommand: Command = {
  name: "train",
  usage: "sft|grpo --config run.json --out DIR [--resume] [--plan] [--limits default]",
  summary:
    "supervised fine-tuning or GRPO; writes run.json, metrics.jsonl, completions.jsonl, checkpoint/. --plan only says what a GRPO run will take",
  options: {
    config: { type: "string" },
    out: { type: "string" },
    resume: { type: "boolean" },
    plan: { type: "boolean" },
    limits: { type: "string" },
  },
  maxPositionals: 1,
  async run(args) {
    const [kind] = args.positionals;
    if (kind !== "sft" && kind !== "grpo") throw new UsageError("train what? expected sft or grpo");
    const file = args.required("config");
    const json = readConfig(file);
    const parsed: Parsed =
      kind === "sft" ? { kind, config: parseSftConfig(json) } : { kind, config: parseGrpoConfig(json) };
    if (args.flag("plan")) {
      if (parsed.kind !== "grpo") throw new UsageError("--plan is for train grpo");
      return planGrpo(await openDevice(args), parsed.config, pathsOf(file));
    }
    const folder = new RunFolder(resolve(args.required("out")));
    const resume = args.flag("resume");
    if (resume) checkResumable(folder, parsed);
    else folder.begin();
    const context = await openDevice(args);
    if (resume) folder.truncate(await resumeStep(folder));
    const host = createNodeTemplateHost();
    const stop = stopOnSignal();
    try {
      const environment = environmentOf(context, folder, host, pathsOf(file));
      const control = { signal: stop.signal, resume };
      const events =
        parsed.kind === "sft"
          ? trainSft(environment, parsed.config, control)
          : trainGrpo(environment, parsed.config, control);
      const metrics = await record(events, folder, resume ? undefined : headerOf(parsed, context));
      const planned = parsed.kind === "grpo" ? await plannedPeak(context, parsed.config, pathsOf(file)) : undefined;
      const last = {
        ...metrics,
        gpu_peak_bytes: context.arena.peakBytes,
        ...(planned === undefined ? {} : { gpu_planned_bytes: planned }),
      };
      return {
        json: last,
        text: Object.entries(last)
          .map(([name, value]) => `${name}  ${value}`)
          .join("\n"),
      };
    } finally {
      stop.dispose();
      host.dispose();
    }
  },
};

type Parsed =
  | { readonly kind: "sft"; readonly config: ReturnType<typeof parseSftConfig> }
  | { readonly kind: "grpo"; readonly config: ReturnType<typeof parseGrpoConfig> };

function headerOf(parsed: Parsed, { adapter, features }: GpuContext): RunHeader {
  const { config } = parsed;
  return {
    ...parsed,
    version: VERSION,
    started: new Date().toISOString(),
    seed: config.seed,
    max_steps: config.max_steps ?? 0,
    device: { ...adapter, subgroups: features.subgroups, f16: features.f16 },
  };
}

/**
 * A run goes on as it began: only its end and what is written on the way may change.
 * @throws R1Error E_OPTION naming the first field that differs
 */
function checkResumable(folder: RunFolder, parsed: Parsed): void {
  const { run } = parseRunRecord(folder.files());
  if (run.kind !== parsed.kind) throw new R1Error("E_OPTION", `the run in ${folder.directory} is ${run.kind}`);
  const free = new Set(["max_steps", "eval_every", "eval_prompts", "eval_samples", "save_every"]);
  const before = new Map(Object.entries(run.config));
  for (const [name, value] of Object.entries(parsed.config)) {
    const was: unknown = before.get(name);
    if (free.has(name) || JSON.stringify(was) === JSON.stringify(value)) continue;
    throw new R1Error(
      "E_OPTION",
      `${name} is ${JSON.stringify(value)}, the run began with ${JSON.stringify(was)}; a resumed run keeps its configuration`,
      { option: name },
    );
  }
}

function environmentOf(
  context: GpuContext,
  folder: RunFolder,
  templateHost: RunEnvironment["templateHost"],
  find: (path: string) => string,
): RunEnvironment {
  return {
    context,
    templateHost,
    checkpoints: folder,
    openFolder: async (path) => (await modelPath(find(path))).folder,
    readDataset: datasetReader(find),
    now: () => performance.now(),
  };
}

/**
 * Writes every event down as it comes, after the header of a new run: one that fails before its first event, for want
 * of a model say, leaves no record that would stand in the way of the next try.
 * @returns the last metrics
 */
async function record(
  events: AsyncGenerator<TrainEvent>,
  folder: RunFolder,
  header: RunHeader | undefined,
): Promise<Record<string, number>> {
  let last: Record<string, number> = {};
  let begun = header === undefined;
  for await (const event of events) {
    if (!begun && header) await writeRunHeader(folder, header);
    begun = true;
    await writeEvent(folder, event);
    note(lineOf(event));
    if (event.type === "step" || event.type === "eval") last = { ...last, step: event.step, ...event.metrics };
  }
  return last;
}

/** Metrics worth a place on a line, in its order. */
const SHOWN = [
  "loss",
  "reward",
  "rewards/accuracy/mean",
  "completions/mean_length",
  "entropy",
  "kl",
  "grad_norm",
  "eval_accuracy",
  "eval_format",
  "eval_mean_length",
  "step_time",
];

function lineOf(event: TrainEvent): string {
  switch (event.type) {
    case "step":
    case "eval": {
      const shown = SHOWN.flatMap((name) => {
        const value = event.metrics[name];
        return value === undefined ? [] : [`${name} ${value.toPrecision(4)}`];
      });
      return `${event.type} ${event.step}  ${shown.join("  ")}`;
    }
    case "saved":
      return `saved ${event.path} at step ${event.step}`;
    case "warning":
      return `warning at step ${event.step}: ${event.message}`;
    case "done":
      return event.reason === "finished"
        ? `finished at step ${event.step}`
        : `stopped at step ${event.step}; --resume goes on`;
  }
}

/** The first interrupt ends the run after its step, with a checkpoint; the second ends the process. */
function stopOnSignal(): { readonly signal: AbortSignal; readonly dispose: () => void } {
  const controller = new AbortController();
  const stop = (): void => {
    note("stopping after this step; once more to stop at once");
    controller.abort();
    dispose();
  };
  const dispose = (): void => {
    process.off("SIGINT", stop);
    process.off("SIGTERM", stop);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return { signal: controller.signal, dispose };
}
