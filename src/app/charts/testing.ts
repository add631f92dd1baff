import type { CompletionRecord, Metrics } from "../../engine/protocol.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import type { RunData } from "../runs/run-data.ts";

/** A run with these metrics by step, the first of which is 1. */
export function makeRun(metrics: readonly Metrics[], more: Partial<RunData> = {}): RunData {
  return {
    id: "run",
    name: "a run",
    header: makeHeader(),
    isRecorded: false,
    steps: metrics.map((values, i) => ({ type: "step", step: i + 1, metrics: values, completions: [] })),
    evaluations: [],
    warnings: [],
    ...more,
  };
}

export function makeHeader(config: Readonly<Record<string, unknown>> = {}): RunHeader {
  return {
    kind: "grpo",
    version: "0.0.0",
    started: "2026-01-02T03:04:05.000Z",
    seed: 1,
    max_steps: 200,
    device: {},
    config: parseGrpoConfig({ model: "m", task: "countdown", ...config }),
  };
}

export function makeCompletion(more: Partial<CompletionRecord> = {}): CompletionRecord {
  return {
    step: 1,
    group: 0,
    prompt: "make 9 from 7 2",
    completion: "<think>7 + 2</think><answer>7 + 2</answer>",
    rewards: { accuracy: 1 },
    reward: 1,
    advantage: 0.5,
    length: 9,
    finish_reason: "eos",
    ...more,
  };
}
