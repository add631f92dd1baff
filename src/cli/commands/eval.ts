import { evaluate } from "../../train/run/evaluate.ts";
import type { Evaluation } from "../../train/run/evaluate.ts";
import { taskProblems } from "../../train/run/problems.ts";
import { parseTask } from "../../train/tasks/tasks.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { R1Error } from "../../errors.ts";
import { UsageError } from "../args.ts";
import type { Args } from "../args.ts";
import type { Command } from "../command.ts";
import { MODEL_OPTIONS } from "../engine.ts";
import { interruptible } from "../signals.ts";
import { withTaskSampler } from "../task-sampler.ts";

export const evalCommand: Command = {
  name: "eval",
  usage:
    "--model <path> --task NAME [--level L] [--n 200] [--samples 4] [--temperature 1] [--max-new-tokens N] [--seed 0]",
  summary: "held-out accuracy, pass@k, majority vote, format and length on a built-in task",
  options: {
    ...MODEL_OPTIONS,
    task: { type: "string" },
    level: { type: "string" },
    n: { type: "string" },
    samples: { type: "string" },
    temperature: { type: "string" },
    "max-new-tokens": { type: "string" },
    seed: { type: "string" },
  },
  async run(args) {
    const task = parseTask(args.required("task"));
    const prompts = whole(args, "n", 200, 100_000);
    const samples = whole(args, "samples", 4, 256);
    const seed = whole(args, "seed", 0, 0xffff_ffff, 0);
    const level = args.text("level") === undefined ? null : whole(args, "level", 0, 100, 0);
    const problems = taskProblems(task, level, seed);
    // An unknown level is told before a model is loaded.
    problems.heldout(0);
    const maxNewTokens = whole(args, "max-new-tokens", task.maxCompletionLength, 100_000);
    const sampling = {
      sequences: Math.max(64, samples),
      generations: samples,
      maxNewTokens: ({ maxPositions }: ModelSpec) => {
        if (maxNewTokens < maxPositions) return maxNewTokens;
        throw new R1Error("E_OPTION", `${maxNewTokens} new tokens; the model has ${maxPositions} positions`);
      },
    };
    const evaluation = await withTaskSampler(args, sampling, async (sampler, settings) => {
      const stop = interruptible("stopping; an evaluation is whole or nothing");
      try {
        return await evaluate(sampler, problems, { prompts, samples, seed, settings }, stop.signal);
      } finally {
        stop.dispose();
      }
    });
    return { json: evaluation, text: lines(evaluation) };
  },
};

function whole(args: Args, name: string, fallback: number, most: number, least = 1): number {
  const value = args.number(name) ?? fallback;
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} ${value}: expected a whole number from ${least} to ${most}`);
}

function lines(evaluation: Evaluation): string {
  const { accuracy, pass_at_k, cons_at_k, format, mean_length, n, samples } = evaluation;
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return [
    `accuracy     ${percent(accuracy)}   (${n} problems × ${samples} samples)`,
    `pass@${samples}       ${percent(pass_at_k)}`,
    `cons@${samples}       ${percent(cons_at_k)}`,
    `format       ${percent(format)}`,
    `mean length  ${mean_length.toFixed(1)} tokens`,
  ].join("\n");
}
