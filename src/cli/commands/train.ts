import { resolve } from "node:path";
import { createNodeTemplateHost } from "../../text/node/node-template-host.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { parseSftConfig } from "../../train/config/sft-config.ts";
import type { TrainEvent } from "../../train/events.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { note } from "../command.ts";
import { openDevice } from "../engine.ts";
import { modelPath } from "../model-path.ts";
import { datasetReader, pathsOf, readConfig } from "../run-config.ts";
import { RunFolder } from "../run-folder.ts";
import { interruptible } from "../signals.ts";
import { trainInFolder } from "../train-in-folder.ts";
import type { RunConfig } from "../train-in-folder.ts";
import { plannedPeak, planGrpo } from "./train-plan.ts";

export const trainCommand: Command = {
  name: "train",
  usage: "sft|grpo --config run.json --out DIR [--resume|--overwrite] [--plan] [--limits default]",
  summary:
    "supervised fine-tuning or GRPO; writes run.json, metrics.jsonl, completions.jsonl, checkpoint/. --plan only says what a GRPO run will take",
  options: {
    config: { type: "string" },
    out: { type: "string" },
    resume: { type: "boolean" },
    overwrite: { type: "boolean" },
    plan: { type: "boolean" },
    limits: { type: "string" },
  },
  maxPositionals: 1,
  async run(args) {
    const [kind] = args.positionals;
    if (kind !== "sft" && kind !== "grpo") throw new UsageError("train what? expected sft or grpo");
    const file = args.required("config");
    const json = readConfig(file);
    const run: RunConfig =
      kind === "sft" ? { kind, config: parseSftConfig(json) } : { kind, config: parseGrpoConfig(json) };
    if (args.flag("plan")) {
      if (run.kind !== "grpo") throw new UsageError("--plan is for train grpo");
      return planGrpo(await openDevice(args), run.config, pathsOf(file));
    }
    const folder = new RunFolder(resolve(args.required("out")));
    if (args.flag("resume") && args.flag("overwrite")) throw new UsageError("give either --resume or --overwrite");
    const how = args.flag("resume") ? "resume" : args.flag("overwrite") ? "overwrite" : "begin";
    const find = pathsOf(file);
    const host = createNodeTemplateHost();
    const stop = interruptible("stopping after this step; once more to stop at once");
    // A process that is stopped at once gives the folder back, too.
    const release = (): void => folder.release();
    process.on("exit", release);
    try {
      const { metrics, environment } = await trainInFolder({
        run,
        folder,
        how,
        open: async () => ({
          context: await openDevice(args),
          templateHost: host,
          openFolder: async (path) => (await modelPath(find(path))).folder,
          readDataset: datasetReader(find),
          now: () => performance.now(),
        }),
        signal: stop.signal,
        onNote: note,
        onEvent: (event) => note(lineOf(event)),
      });
      const { context } = environment;
      const planned = run.kind === "grpo" ? await plannedPeak(context, run.config, find) : undefined;
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
      process.off("exit", release);
      stop.dispose();
      host.dispose();
    }
  },
};

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
