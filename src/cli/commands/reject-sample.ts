import { writeFileSync } from "node:fs";
import { createNodeTemplateHost } from "../../text/node/node-template-host.ts";
import { loadTextAssets, requireTokenizer } from "../../model/text-assets.ts";
import { taskProblems } from "../../train/run/problems.ts";
import { createPromptWriter } from "../../train/run/prompts.ts";
import { acceptedSamples } from "../../train/run/reject-sample.ts";
import { Sampler } from "../../train/run/rollout.ts";
import { parseTask } from "../../train/tasks/tasks.ts";
import type { Command } from "../command.ts";
import { note } from "../command.ts";
import { loadFromArgs, MODEL_OPTIONS } from "../engine.ts";

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
    const { folder, model } = await loadFromArgs(args);
    const assets = await loadTextAssets(folder);
    const tokenizer = requireTokenizer(assets, folder);
    const host = createNodeTemplateHost();
    try {
      const writer = await createPromptWriter(assets, tokenizer, host);
      const maxNewTokens = Math.min(task.maxCompletionLength, model.spec.maxPositions - 1);
      const sampler = await Sampler.create(model, tokenizer, writer, {
        sequences: CHUNK * samples,
        generations: samples,
        promptTokens: Math.min(512, model.spec.maxPositions - maxNewTokens),
        maxNewTokens,
      });
      const settings = { temperature: args.number("temperature") ?? 1, topP: 1, topK: 0, maxNewTokens };
      const lines: string[] = [];
      let problems = 0;
      for await (const batch of acceptedSamples(sampler, taskProblems(task, null, seed), {
        problems: n,
        perBatch: CHUNK,
        samples,
        seed,
        settings,
      })) {
        problems += batch.problems;
        for (const pair of batch.accepted) lines.push(JSON.stringify(pair));
        note(`${problems} of ${n} problems, ${lines.length} accepted`);
      }
      writeFileSync(out, lines.map((line) => `${line}\n`).join(""));
      const json = { problems, samples, accepted: lines.length, out };
      return { json, text: `${lines.length} accepted of ${problems * samples} samples in ${out}` };
    } finally {
      host.dispose();
    }
  },
};
