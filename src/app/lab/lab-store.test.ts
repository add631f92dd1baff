import { describe, expect, it, vi } from "vitest";
import type { TrainingRun } from "../../engine/client.ts";
import type { CheckpointFiles, DeviceInfo, TrainCall, TrainEvent, TrainResult } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { memoryDatabase } from "../runs/memory-database.ts";
import type { RunDatabase } from "../runs/run-database.ts";
import { createLab } from "./lab-store.ts";
import type { LabServices } from "./lab-store.ts";

const config = parseGrpoConfig({
  model: "models/tiny",
  task: "countdown",
  max_steps: 4,
  save_every: 2,
  log_tokens: true,
});
const device: DeviceInfo = {
  description: "fake",
  vendor: "",
  architecture: "",
  isFallback: false,
  features: ["f16"],
  maxBufferSize: 1,
  maxBindingSize: 1,
};

const token = { text: "x", id: 1, logp: 0, old_logp: 0, ratio: 1, entropy: 0 };
const stepEvent = (step: number): TrainEvent => ({
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
const filesAt = (step: number): CheckpointFiles => ({
  "model.safetensors": new TextEncoder().encode("w"),
  "trainer_state.json": new TextEncoder().encode(JSON.stringify({ global_step: step })),
});

/** A run whose events the test gives. */
class FakeRun implements TrainingRun {
  readonly call: TrainCall;
  readonly paces: string[] = [];
  checkpoint: CheckpointFiles | undefined;
  readonly result: Promise<TrainResult> = new Promise(() => undefined);
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
  give(...events: (TrainEvent | Error | "end")[]): void {
    for (const event of events) {
      if (typeof event === "object" && "type" in event && event.type === "saved") this.checkpoint = filesAt(event.step);
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

const saved = (step: number): TrainEvent => ({ type: "saved", step, path: "memory" });
const done = (step: number): TrainEvent => ({ type: "done", step, reason: "stopped" });

function setUp(change: Partial<LabServices> = {}) {
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

async function started(change: Partial<LabServices> = {}) {
  const all = setUp(change);
  await all.at().open();
  const ended = all.at().start(config, "mine");
  await vi.waitFor(() => expect(all.runs).toHaveLength(1));
  const [run] = all.runs;
  if (!run) throw new Error("no run");
  return { ...all, run, ended };
}

describe("a run in the lab", () => {
  it("starts from a built-in model, is shown as it grows, and is written down with its checkpoint", async () => {
    const { at, run, ended, held, database } = await started();
    expect(run.call).toMatchObject({
      kind: "grpo",
      models: { "models/tiny": { kind: "url", baseUrl: "https://page/models/tiny/" } },
    });
    expect(at().active).toEqual({ id: "run-1", phase: "starting" });
    expect(held()).toBe(1);
    run.give(stepEvent(1), stepEvent(2), saved(2));
    await vi.waitFor(() => expect(at().data["run-1"]?.steps).toHaveLength(2));
    await vi.waitFor(() =>
      expect(at().runs[0]).toMatchObject({ id: "run-1", name: "mine", step: 2, checkpointStep: 2 }),
    );
    expect(at().active?.phase).toBe("running");
    expect(at().shown).toEqual(["run-1"]);
    run.give(done(2), "end");
    await ended;
    expect(at()).toMatchObject({ active: undefined, failure: undefined, storage: "open" });
    expect(held()).toBe(0);
    // A page that is opened later finds it.
    const later = setUp({ openDatabase: async () => database });
    await later.at().open();
    expect(later.at().runs[0]).toMatchObject({ id: "run-1", step: 2, checkpointStep: 2 });
    await later.at().focus("run-1");
    const steps = later.at().data["run-1"]?.steps ?? [];
    // Tokens are kept of the first step, and of one in ten.
    expect(steps.map(({ completions: [first] }) => first?.tokens?.length)).toEqual([1, undefined]);
    expect(await later.at().checkpoint("run-1")).toEqual(filesAt(2));
  });

  it("pauses after the step in progress, steps, goes on, and stops", async () => {
    const { at, run, ended } = await started();
    const phase = () => at().active?.phase;
    run.give(stepEvent(1));
    await vi.waitFor(() => expect(phase()).toBe("running"));
    at().pause();
    expect(phase()).toBe("pausing");
    run.give(stepEvent(2));
    await vi.waitFor(() => expect(phase()).toBe("paused"));
    at().step();
    expect(phase()).toBe("stepping");
    run.give(saved(2));
    run.give(stepEvent(3));
    await vi.waitFor(() => expect(phase()).toBe("paused"));
    at().go();
    expect(phase()).toBe("running");
    at().stop();
    expect(phase()).toBe("stopping");
    at().pause();
    expect(run.paces).toEqual(["pause", "step", "resume", "stop"]);
    run.give(new R1Error("E_ABORTED", "stopped"));
    await ended;
    expect(at().failure).toBeUndefined();
  });

  it("that lost its device keeps its metrics and goes on from the checkpoint", async () => {
    const { at, run, runs, ended } = await started();
    run.give(stepEvent(1), stepEvent(2), saved(2), stepEvent(3), new R1Error("E_DEVICE_LOST", "gone"));
    await ended;
    expect(at().failure).toMatchObject({ code: "E_DEVICE_LOST", runId: "run-1" });
    expect(at().data["run-1"]?.steps).toHaveLength(3);
    const again = at().resumeRun("run-1");
    await vi.waitFor(() => expect(runs).toHaveLength(2));
    expect(runs[1]?.call.checkpoint).toEqual(filesAt(2));
    expect(at().failure).toBeUndefined();
    expect(at().data["run-1"]?.steps).toHaveLength(2);
    runs[1]?.give(stepEvent(3), stepEvent(4), done(4), "end");
    await again;
    expect(at().data["run-1"]?.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(at().runs[0]).toMatchObject({ step: 4 });
  });

  it("without a checkpoint begins again", async () => {
    const { at, run, runs, ended } = await started();
    run.give(stepEvent(1), new R1Error("E_WORKER", "killed"));
    await ended;
    void at().resumeRun("run-1");
    await vi.waitFor(() => expect(runs).toHaveLength(2));
    expect(runs[1]?.call.checkpoint).toBeUndefined();
    expect(at().data["run-1"]?.steps).toEqual([]);
  });

  it("reaches the page at most ten times a second", async () => {
    const { at, lab, run, ended } = await started();
    let updates = 0;
    let before = at().data["run-1"];
    lab.subscribe(({ data }) => {
      if (data["run-1"] !== before) updates++;
      before = data["run-1"];
    });
    const begun = performance.now();
    for (let step = 1; step <= 200; step++) {
      run.give(stepEvent(step));
      if (step % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    }
    run.give(done(200), "end");
    await ended;
    expect(updates).toBeLessThanOrEqual(2 + Math.ceil((performance.now() - begun) / 100));
    const steps = at().data["run-1"]?.steps ?? [];
    expect(steps).toHaveLength(200);
    // Tokens of old steps are let go.
    expect(steps[100]?.completions[0]?.tokens).toBeUndefined();
    expect(steps[199]?.completions[0]?.tokens).toHaveLength(1);
  });

  it("can start from the model of another", async () => {
    const { at, run, runs, ended } = await started();
    run.give(stepEvent(1), saved(1), done(1), "end");
    await ended;
    void at().start({ ...config, model: "runs/run-1" }, "second");
    await vi.waitFor(() => expect(runs).toHaveLength(2));
    const source = runs[1]?.call.models["runs/run-1"];
    expect(source?.kind === "files" && source.files.map(({ path }) => path)).toEqual(["run-1/model.safetensors"]);
  });

  it("is not begun twice, nor without a device", async () => {
    const { at, runs, run, ended } = await started();
    await at().start(config, "second");
    expect(runs).toHaveLength(1);
    run.give("end");
    await ended;
    const none = setUp({
      engine: () => ({
        open: async () => Promise.reject(new R1Error("E_NO_WEBGPU", "none")),
        train: () => {
          throw new Error("unreachable");
        },
      }),
    });
    await none.at().open();
    await none.at().start(config, "mine");
    expect(none.at()).toMatchObject({ active: undefined, failure: { code: "E_NO_WEBGPU" }, runs: [] });
    expect(none.held()).toBe(0);
  });
});

describe("the lab's storage", () => {
  it("that is closed leaves runs in memory", async () => {
    const { at, run, ended } = await started({ openDatabase: async () => Promise.reject(new Error("SecurityError")) });
    expect(at().storage).toBe("closed");
    run.give(stepEvent(1), saved(1), done(1), "end");
    await ended;
    expect(await at().checkpoint("run-1")).toEqual(filesAt(1));
  });

  it("that is full stops no run, and its checkpoint is still there", async () => {
    const full = async () => Promise.reject(new DOMException("full", "QuotaExceededError"));
    const database: RunDatabase = { ...memoryDatabase(), isPersistent: true, putCheckpoint: full };
    const { at, run, runs, ended } = await started({ openDatabase: async () => database });
    run.give(stepEvent(1), stepEvent(2), saved(2), stepEvent(3));
    await vi.waitFor(() => expect(at().storage).toBe("full"));
    run.give(saved(3), new R1Error("E_DEVICE_LOST", "gone"));
    await ended;
    expect(at().data["run-1"]?.steps).toHaveLength(3);
    void at().resumeRun("run-1");
    await vi.waitFor(() => expect(runs).toHaveLength(2));
    expect(runs[1]?.call.checkpoint).toEqual(filesAt(3));
  });

  it("that another tab writes to is read only until that tab is done", async () => {
    let isFree = false;
    let free = (): void => undefined;
    const lock = {
      take: async () => (isFree ? () => undefined : undefined),
      whenFree: () => new Promise<void>((resolve) => (free = resolve)),
    };
    const { at, runs } = setUp({ lock });
    await at().open();
    await vi.waitFor(() => expect(at().otherTab).toBe(true));
    void at().start(config, "mine");
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(runs).toHaveLength(0);
    isFree = true;
    free();
    await vi.waitFor(() => expect(at().otherTab).toBe(false));
    void at().start(config, "mine");
    await vi.waitFor(() => expect(runs).toHaveLength(1));
  });

  it("renames, also a run that is being trained, and deletes", async () => {
    const { at, run, ended, database } = await started();
    run.give(stepEvent(1));
    await vi.waitFor(() => expect(at().active?.phase).toBe("running"));
    await at().rename("run-1", "  better ");
    await at().rename("run-1", "   ");
    run.give(stepEvent(2), done(2), "end");
    await ended;
    expect(at().runs[0]?.name).toBe("better");
    expect(at().data["run-1"]?.name).toBe("better");
    expect((await database.runs()).get("run-1")).toMatchObject({ name: "better", step: 2 });
    await at().remove("run-1");
    expect(at()).toMatchObject({ runs: [], shown: [], data: {} });
    expect((await database.runs()).size).toBe(0);
  });
});

describe("a recorded run", () => {
  const entry = { name: "shipped", title: { en: "Shipped", ja: "同梱" }, steps: 3, bytes: 10, logs: [] };

  it("is shown before anything is started, and makes room for the first run", async () => {
    const { at, runs } = setUp({
      fetchRecordedRuns: async () => [entry],
      fetchRecordedRun: async ({ name }) => ({
        id: `recorded/${name}`,
        name,
        header: { kind: "grpo", version: "", started: "", seed: 0, max_steps: 3, device: {}, config },
        isRecorded: true,
        steps: [],
        evaluations: [],
        warnings: [],
      }),
    });
    await at().open();
    expect(at().shown).toEqual(["recorded/shipped"]);
    void at().start(config, "mine");
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    expect(at().shown).toEqual(["run-1"]);
    await at().overlay("recorded/shipped", true);
    expect(at().shown).toEqual(["run-1", "recorded/shipped"]);
    await at().overlay("recorded/shipped", false);
    expect(at().shown).toEqual(["run-1"]);
  });

  it("that cannot be had is said, and blocks nothing", async () => {
    const { at } = setUp({ fetchRecordedRuns: async () => Promise.reject(new R1Error("E_HTTP", "404")) });
    await at().open();
    expect(at()).toMatchObject({ storage: "open", failure: { code: "E_HTTP", runId: undefined } });
  });
});
