import { describe, expect, it } from "vitest";
import type { RunData } from "../../runs/run-data.ts";
import { parseGrpoConfig } from "../../../train/config/grpo-config.ts";
import { startAndEnd } from "../own-run.ts";
import { attentionPairs, exampleLengths, layOutBoth, placesOf } from "./batch.ts";

describe("a batch, padded and packed", () => {
  it("counts the padding that packing saves", () => {
    const { padded, packed } = layOutBoth([8, 4, 2, 2], 8);
    expect(padded.packing_efficiency).toBe(16 / 32);
    expect(packed.packing_efficiency).toBe(16 / 16);
    expect(packed.packs.map((pack) => placesOf(pack))).toEqual([
      [{ sequence: 0, start: 0, length: 8, padding: 0 }],
      [
        { sequence: 1, start: 0, length: 4, padding: 0 },
        { sequence: 2, start: 4, length: 2, padding: 0 },
        { sequence: 3, start: 6, length: 2, padding: 0 },
      ],
    ]);
    expect(padded.packs.flatMap((pack) => placesOf(pack)).map(({ padding }) => padding)).toEqual([0, 4, 6, 6]);
  });

  it("counts attention's pairs", () => {
    const { padded, packed } = layOutBoth([8, 4, 2, 2], 8);
    expect(attentionPairs(padded)).toBe(4 * 36);
    expect(attentionPairs(packed)).toBe(36 + 10 + 3 + 3);
  });

  it("has sequences of one length where nothing spreads them", () => {
    expect(new Set(exampleLengths(64, 0))).toEqual(new Set([64]));
    expect(Math.min(...exampleLengths(64, 1))).toBeLessThan(10);
  });
});

describe("a run's start and end", () => {
  const run = (steps: readonly Record<string, number>[], evaluations: readonly Record<string, number>[]): RunData => ({
    id: "run",
    name: "Run",
    isRecorded: false,
    header: {
      kind: "grpo",
      config: parseGrpoConfig({ model: "nano", task: "addition" }),
      version: "1",
      started: "2026-01-01T00:00:00Z",
      seed: 0,
      max_steps: steps.length,
      device: {},
    },
    steps: steps.map((metrics, i) => ({ type: "step", step: i + 1, metrics, completions: [] })),
    evaluations: evaluations.map((metrics, i) => ({ type: "eval", step: i + 1, metrics })),
    warnings: [],
  });

  it("average a few steps, and take an evaluation as it was", () => {
    const steps = Array.from({ length: 20 }, (_, i) => ({ reward: i }));
    const data = run(steps, [{ eval_accuracy: 0.2 }, { eval_accuracy: 0.4 }, { eval_accuracy: 0.7 }]);
    expect(startAndEnd(data, "reward")).toEqual({ start: 2, end: 17 });
    expect(startAndEnd(data, "eval_accuracy")).toEqual({ start: 0.2, end: 0.7 });
  });

  it("do not overlap in a short run, and are not there in one that has just begun", () => {
    expect(startAndEnd(run([{ reward: 1 }, { reward: 2 }, { reward: 6 }], []), "reward")).toEqual({ start: 1, end: 6 });
    expect(startAndEnd(run([{ reward: 1 }], []), "reward")).toBeUndefined();
    expect(startAndEnd(run([{ reward: 1 }, { reward: 2 }], []), "kl")).toBeUndefined();
  });
});
