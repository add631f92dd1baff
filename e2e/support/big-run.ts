import type { Page } from "@playwright/test";

/** Completions of each step. */
const GROUP = 10;

/**
 * Puts a long run among those that the browser keeps, as training would have written it: ten completions of 450 bytes in
 * each step, so that 20,000 steps are 102 MB.
 */
export async function keepLongRun(page: Page, steps: number): Promise<void> {
  await page.evaluate(
    async ({ steps: count, group }) => {
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const opening = indexedDB.open("r1-playground-runs");
        opening.addEventListener("success", () => resolve(opening.result));
        opening.addEventListener("error", () => reject(opening.error ?? new Error("closed")));
      });
      const config = { model: "models/nano-r1", task: "countdown", max_steps: count };
      const header = {
        kind: "grpo",
        version: "0.1.0",
        started: "2026-01-02T03:04:05.000Z",
        seed: 1,
        max_steps: count,
        device: {},
        config,
      };
      const row = { id: "long", name: "A long run", header: JSON.stringify(header), step: count, checkpointStep: 0 };
      for (let from = 1; from <= count; from += 500) {
        const transaction = database.transaction(["runs", "chunks"], "readwrite");
        transaction.objectStore("runs").put(row);
        for (let step = from; step < Math.min(count + 1, from + 500); step++) {
          const completions = Array.from({ length: group }, (_, i) =>
            JSON.stringify({
              step,
              group: 0,
              prompt: `make ${step % 97} from ${step % 7} ${step % 11} ${step % 13}`,
              completion: `<think>${"5 + 7 = 12, 12 × 3 = 36. ".repeat(8)}</think><answer>${step} + ${i}</answer>`,
              rewards: { accuracy: i % 2, format: 1 },
              reward: 1 + (i % 2),
              advantage: Math.sin(step / 50 + i),
              length: 90 + i,
              finish_reason: "eos",
              kl: 0.01,
            }),
          );
          const reward = 1 - Math.exp(-step / 3000) + 0.1 * Math.sin(step);
          const metrics = {
            step,
            reward,
            reward_std: 0.4,
            "rewards/accuracy/mean": reward,
            "rewards/format/mean": 1,
            loss: 0.1,
            kl: 0.01 * Math.sin(step / 100),
            grad_norm: 1 + Math.cos(step),
            learning_rate: 1e-5,
            entropy: 0.5,
            "completions/mean_length": 90,
            frac_reward_zero_std: 0.1,
            step_time: 1.5,
          };
          const logs = {
            "completions.jsonl": `${completions.join("\n")}\n`,
            "metrics.jsonl": `${JSON.stringify(metrics)}\n`,
          };
          transaction.objectStore("chunks").put({ run: "long", seq: step, step, logs });
        }
        await new Promise<void>((resolve, reject) => {
          transaction.addEventListener("complete", () => resolve());
          transaction.addEventListener("error", () => reject(transaction.error ?? new Error("not written")));
        });
      }
      database.close();
    },
    { steps, group: GROUP },
  );
}
