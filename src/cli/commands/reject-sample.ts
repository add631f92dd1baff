import { isR1Error, R1Error } from "../../errors.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { taskProblems } from "../../train/run/problems.ts";
import { acceptedSamples } from "../../train/run/reject-sample.ts";
import { parseTask } from "../../train/tasks/tasks.ts";
import type { Command } from "../command.ts";
import { note } from "../command.ts";
import { MODEL_OPTIONS } from "../engine.ts";
import { AcceptedFile } from "../run/accepted-file.ts";
import { interruptible } from "../signals.ts";
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
    const model = args.required("model");
    const [weights, temperature] = [args.text("weights") ?? "as stored", args.number("temperature") ?? 1];
    const file = new AcceptedFile(out, { model, weights, task: task.name, n, samples, seed, temperature });
    const start = (): void => file.start().forEach(note);
    if (file.problems >= n) start();
    else {
      await withTaskSampler(args, sampling, async (sampler, settings) => {
        // Only now: a model that cannot be opened changes no file.
        start();
        const stop = interruptible("stopping; accepted samples so far stay");
        const options = {
          done: file.problems,
          problems: n,
          perBatch: CHUNK,
          samples,
          seed,
          settings,
          signal: stop.signal,
        };
        try {
          for await (const batch of acceptedSamples(sampler, taskProblems(task, null, seed), options)) {
            file.add(
              batch.problems,
              batch.accepted.map((pair) => JSON.stringify(pair)),
            );
            note(`${file.problems} of ${n} problems, ${file.accepted} accepted`);
          }
        } catch (error) {
          throw isR1Error(error) && error.code === "E_ABORTED" ? stopped(out, file, n) : error;
        } finally {
          stop.dispose();
        }
      });
    }
    file.finish();
    const { problems, accepted } = file;
    return {
      json: { problems, samples, accepted, out },
      text: `${accepted} accepted of ${problems * samples} samples in ${out}`,
    };
  },
};

function stopped(out: string, { problems, accepted }: AcceptedFile, n: number): R1Error {
  return new R1Error(
    "E_ABORTED",
    `stopped after ${problems} of ${n} problems; ${out} has ${accepted} accepted samples, and the same command goes on`,
  );
}
