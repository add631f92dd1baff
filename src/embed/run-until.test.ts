import { expect, it } from "vitest";
import { parseGrpoConfig } from "../train/config/grpo-config.ts";
import type { RunData } from "../app/runs/run-data.ts";
import { runUntil } from "./run-until.ts";

it("a run in the middle knows nothing of what comes", () => {
  const step = (at: number) => ({ type: "step" as const, step: at, metrics: { reward: at }, completions: [] });
  const run: RunData = {
    id: "r",
    name: "r",
    isRecorded: true,
    header: {
      kind: "grpo",
      version: "0",
      started: "2026-01-01T00:00:00.000Z",
      seed: 0,
      max_steps: 3,
      device: {},
      config: parseGrpoConfig({ model: "m", task: "countdown", max_steps: 3 }),
    },
    steps: [step(1), step(2), step(3)],
    evaluations: [{ type: "eval", step: 3, metrics: { eval_reward: 1 } }],
    warnings: [{ type: "warning", step: 1, code: "DEAD_GROUPS", message: "" }],
  };
  expect(runUntil(run, 2)).toMatchObject({
    steps: [{ step: 1 }, { step: 2 }],
    evaluations: [],
    warnings: [{ step: 1 }],
  });
  expect(runUntil(run, 3)).toEqual(run);
});
