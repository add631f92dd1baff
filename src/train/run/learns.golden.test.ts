import { join } from "node:path";
import { expect, it } from "vitest";
import { nodeFolder } from "../../checkpoint/node/folder.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { trainGrpo } from "./grpo.ts";
import { collectEvents, memoryEnvironment } from "./testing.ts";

/** A minute and a half on two cores in software; more where other work has them too. */
const LIMIT_MS = 300_000;
const COLD = join(import.meta.dirname, "../../../public/models/nano-cold");

it(
  "twenty steps of small groups raise the reward of the cold-started model above its start",
  { timeout: LIMIT_MS },
  async () => {
    const environment = { ...(await memoryEnvironment()), openFolder: () => nodeFolder(COLD) };
    const config = parseGrpoConfig({
      model: "nano-cold",
      task: "countdown",
      seed: 1,
      max_steps: 20,
      per_step_prompts: 8,
      num_generations: 8,
      max_completion_length: 96,
      learning_rate: 4e-4,
      max_tokens_per_pack: 8192,
      eval_every: 0,
      save_every: 0,
    });
    const rewards = (await collectEvents(trainGrpo(environment, config))).flatMap((event) =>
      event.type === "step" ? [event.metrics["reward"] ?? Number.NaN] : [],
    );
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    // Seven steps hold 448 completions: their mean wanders by about 0.02 when nothing is learnt.
    const [start, end] = [mean(rewards.slice(0, 7)), mean(rewards.slice(-7))];
    expect(end - start, rewards.map((reward) => reward.toFixed(3)).join(" ")).toBeGreaterThan(0.04);
  },
);
