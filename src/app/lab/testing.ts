import { expect, vi } from "vitest";
import type { TrainingRun } from "../../engine/client.ts";
import type { CheckpointFiles, DeviceInfo, TrainCall, TrainEvent, TrainResult } from "../../engine/protocol.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { memoryDatabase } from "../runs/memory-database.ts";
import { sharedLock } from "../runs/run-lock.ts";
import { createLab } from "./lab-store.ts";
import type { LabServices } from "./lab-store.ts";

export const config = parseGrpoConfig({
  model: "models/tiny",
  task: "countdown",
  max_steps: 4,
  save_every: 2,
  log_tokens: true,
});
export const device: DeviceInfo = {
  description: "fake",
  vendor: "",
  architecture: "",
  isFallback: false,
  features: ["f16"],
  maxBufferSize: 1,
  maxBindingSize: 1,
};

const token = { text: "x", id: 1, logp: 0, old_logp: 0, ratio: 1, entropy: 0 };
export const stepEvent = (step: number): TrainEvent => ({
  type: "step",
  step,
  metrics: { reward: step, step_time: 2 },
  completions: [
    {
      step,
      group: 0,
      prompt: "p",
      completion: "c",
      rewards: { accuracy: 1 },
      reward: 1,
      advantage: 0,
      length: 1,
      finish_reason: "eos",
      tokens: [token],
    },
  ],
});
export const filesAt = (step: number): CheckpointFiles => ({
  "model.safetensors": new TextEncoder().encode("w"),
  "trainer_state.json": new TextEncoder().encode(JSON.stringify({ global_step: step })),
});

export const adapterFiles: CheckpointFiles = {
  "adapter_config.json": new TextEncoder().encode("{}"),
  "adapter_model.safetensors": new TextEncoder().encode("a"),
};

/** A run whose events the test gives. */
class FakeRun implements TrainingRun {
  readonly call: TrainCall;
  readonly paces: string[] = [];
  checkpoint: CheckpointFiles | undefined;
  readonly result: Promise<TrainResult> = new Promise(() => undefined);
  #kept: CheckpointFiles | undefined;
  readonly #events: (TrainEvent | Error | "end")[] = [];
  #wake = (): void => undefined;

  constructor(call: TrainCall, signal: AbortSignal | undefined) {
    this.call = call;
    signal?.addEventListener("abort", () => this.paces.push("stop"));
  }
  pause = () => void this.paces.push("pause");
  step = () => void this.paces.push("step");
  resume = () => void this.paces.push("resume");
  stop = () => void this.paces.push("stop");
  /** Saves these files instead of the usual ones. */
  keep(files: CheckpointFiles): void {
    this.#kept = files;
  }
  give(...events: (TrainEvent | Error | "end")[]): void {
    for (const event of events) {
      if (typeof event === "object" && "type" in event && event.type === "saved") {
        this.checkpoint = this.#kept ?? filesAt(event.step);
      }
      this.#events.push(event);
    }
    this.#wake();
  }
  async *[Symbol.asyncIterator]() {
    for (;;) {
      const event = this.#events.shift();
      if (event === "end") return;
      if (event instanceof Error) throw event;
      if (event) yield event;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

export const saved = (step: number): TrainEvent => ({ type: "saved", step, path: "memory" });
export const done = (step: number): TrainEvent => ({ type: "done", step, reason: "stopped" });

/**
 * Locks of one browser as `navigator.locks` gives them: one holder at a time, and a lock that was given back is free only
 * a while after. Each call of `tab` is another tab's.
 */
export function fakeLocks() {
  let isTaken = false;
  const waiting: (() => void)[] = [];
  const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  const tab = () =>
    sharedLock({
      take: async () => {
        await later(1);
        if (isTaken) return undefined;
        isTaken = true;
        return async () => {
          await later(5);
          isTaken = false;
          for (const wake of waiting.splice(0)) wake();
        };
      },
      whenFree: async () => {
        while (isTaken) await new Promise<void>((resolve) => waiting.push(resolve));
      },
    });
  return { tab };
}

/** A lab whose engine, storage and lock the test holds. */
export function setUp(change: Partial<LabServices> = {}) {
  const runs: FakeRun[] = [];
  let ids = 0;
  let held = 0;
  const database = memoryDatabase();
  const services: LabServices = {
    engine: () => ({
      open: async () => device,
      train: (call, options) => {
        const run = new FakeRun(call, options?.signal);
        runs.push(run);
        return run;
      },
    }),
    openDatabase: async () => ({ ...database, isPersistent: true }),
    lock: { take: async () => () => undefined, whenFree: async () => undefined },
    hold: () => {
      held++;
      return () => held--;
    },
    fetchRecordedRuns: async () => [],
    fetchRecordedRun: async () => Promise.reject(new Error("there is none")),
    builtInUrl: (folder) => `https://page/models/${folder}/`,
    pickedModel: () => undefined,
    newRun: () => ({ id: `run-${++ids}`, started: "2026-11-24T12:00:00.000Z" }),
    ...change,
  };
  const lab = createLab(services);
  return { lab, runs, database, held: () => held, at: () => lab.getState() };
}

/** A lab with a run that has begun. */
export async function started(change: Partial<LabServices> = {}) {
  const all = setUp(change);
  await all.at().open();
  const ended = all.at().start(config, "mine");
  await vi.waitFor(() => expect(all.runs).toHaveLength(1));
  const [run] = all.runs;
  if (!run) throw new Error("no run");
  return { ...all, run, ended };
}
