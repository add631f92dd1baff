import { writeFileSync } from "node:fs";
import type { ModelSpec } from "../../model/spec.ts";
import { taskProblems } from "../../train/run/problems.ts";
import { acceptedSamples } from "../../train/run/reject-sample.ts";
import { parseTask } from "../../train/tasks/tasks.ts";
import type { Command } from "../command.ts";
import { note } from "../command.ts";
import { MODEL_OPTIONS } from "../engine.ts";
import { withTaskSampler } from "../task-sampler.ts";

/** Problems that are answered together; accepted samples are counted after each. */
const CHUNK = 64;

export const rejectSampleCommand: Command = {
  name: "reject-sample",
  usage: "--model <path> --task NAME --out data.jsonl [--n 2000] [--samples 4] [--temperature 1] [--seed 0]",
  summary: "right answers to training problems, as {prompt, completion} lines to distil a student from",
  options: {
    ...MODEL_OPTIONS,
    task: { type: "string" },
    out: { type: "string" },
    n: { type: "string" },
    samples: { type: "string" },
    temperature: { type: "string" },
    seed: { type: "string" },
  },
  async run(args) {
    const task = parseTask(args.required("task"));
    const out = args.required("out");
    const n = args.number("n") ?? 2000;
    const samples = args.number("samples") ?? 4;
    const seed = args.number("seed") ?? 0;
    const sampling = {
      sequences: CHUNK * samples,
      generations: samples,
      maxNewTokens: ({ maxPositions }: ModelSpec) => Math.min(task.maxCompletionLength, maxPositions - 1),
    };
    const lines: string[] = [];
    const problems = await withTaskSampler(args, sampling, async (sampler, settings) => {
      let done = 0;
      const options = { problems: n, perBatch: CHUNK, samples, seed, settings };
      for await (const batch of acceptedSamples(sampler, taskProblems(task, null, seed), options)) {
        done += batch.problems;
        for (const pair of batch.accepted) lines.push(JSON.stringify(pair));
        note(`${done} of ${n} problems, ${lines.length} accepted`);
      }
      return done;
    });
    writeFileSync(out, lines.map((line) => `${line}\n`).join(""));
    const json = { problems, samples, accepted: lines.length, out };
    return { json, text: `${lines.length} accepted of ${problems * samples} samples in ${out}` };
  },
};
