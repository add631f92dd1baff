import { describe, expect, it, vi } from "vitest";
import type { ModelSource } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import { memoryDatabase } from "../runs/memory-database.ts";
import type { RunData } from "../runs/run-data.ts";
import type { RunDatabase } from "../runs/run-database.ts";
import { adapterFiles, config, done, fakeLocks, filesAt, saved, setUp, started, stepEvent } from "./testing.ts";

describe("where a run starts from", () => {
  const picked: ModelSource = { kind: "files", files: [] };
  const services = { pickedModel: (name: string) => (name === "mine" ? picked : undefined) };

  it("is a download, or files that were opened in this visit", async () => {
    const { at } = setUp(services);
    expect(await at().sourceOf("stored/owner/name")).toEqual({ kind: "stored", id: "owner/name" });
    expect(await at().sourceOf("files/mine")).toBe(picked);
    await expect(at().sourceOf("files/yours")).rejects.toMatchObject({ code: "E_FILES_GONE" });
    await expect(at().sourceOf("https://elsewhere/")).rejects.toMatchObject({ code: "E_OPTION" });
  });

  it("of an adapter is its base with the adapter, whose checkpoint does not hold the base", async () => {
    const lora = { r: 4, lora_alpha: 8, target_modules: ["q_proj" as const], lora_dropout: 0 as const };
    const all = setUp(services);
    await all.at().open();
    const ended = all.at().start({ ...config, model: "files/mine", lora }, "adapted");
    await vi.waitFor(() => expect(all.runs).toHaveLength(1));
    const [run] = all.runs;
    run?.keep({ ...adapterFiles, ...filesAt(2) });
    run?.give(stepEvent(2), saved(2), done(2), "end");
    await ended;
    const source = { kind: "adapted", name: "trained", base: picked, adapter: adapterFiles };
    expect(await all.at().trainedSource("run-1", "trained")).toEqual(source);
    expect(await all.at().sourceOf("runs/run-1")).toEqual({ ...source, name: "run-1" });
    // A page that is opened later has the adapter, but no longer the files that it is for.
    const later = setUp({ openDatabase: async () => all.database });
    await later.at().open();
    await later.at().resumeRun("run-1");
    expect(later.at().failure).toMatchObject({ code: "E_FILES_GONE", runId: "run-1" });
    expect(later.runs).toHaveLength(0);
  });
});

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
  const recorded: RunData = {
    id: "recorded/shipped",
    name: "shipped",
    header: { kind: "grpo", version: "", started: "", seed: 0, max_steps: 3, device: {}, config },
    isRecorded: true,
    steps: [],
    evaluations: [],
    warnings: [],
  };

  it("is shown before anything is started, and makes room for the first run", async () => {
    const { at, runs } = setUp({
      fetchRecordedRuns: async () => [entry],
      fetchRecordedRun: async () => recorded,
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

  it("does not take the place of a run that was chosen while it was fetched", async () => {
    const { run, ended, database } = await started();
    run.give(stepEvent(1), done(1), "end");
    await ended;
    const waiting: ((run: RunData) => void)[] = [];
    const { at } = setUp({
      openDatabase: async () => database,
      fetchRecordedRuns: async () => [entry],
      fetchRecordedRun: () => new Promise((resolve) => waiting.push(resolve)),
    });
    const opened = at().open();
    await vi.waitFor(() => expect(at().runs).toHaveLength(1));
    await at().focus("run-1");
    for (const arrive of waiting) arrive(recorded);
    await opened;
    expect(at().shown).toEqual(["run-1"]);
  });

  it("that cannot be had is said, and blocks nothing", async () => {
    const { at } = setUp({ fetchRecordedRuns: async () => Promise.reject(new R1Error("E_HTTP", "404")) });
    await at().open();
    expect(at()).toMatchObject({ storage: "open", failure: { code: "E_HTTP", runId: undefined } });
  });
});

describe("a click right after the page was opened", () => {
  const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

  it("starts a run although the lab itself is just taking the lock", async () => {
    const { at, runs } = setUp({ lock: fakeLocks().tab() });
    const opened = at().open();
    void at().start(config, "mine");
    expect(at().active).toMatchObject({ phase: "starting" });
    await opened;
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    expect(at()).toMatchObject({ otherTab: false, failure: undefined });
  });

  it.each([1, 3, 10])("starts a run %i ms after the lab has opened", async (wait) => {
    const { at, runs } = setUp({ lock: fakeLocks().tab() });
    await at().open();
    await new Promise((resolve) => setTimeout(resolve, wait));
    void at().start(config, "mine");
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    expect(at().otherTab).toBe(false);
  });

  it("writes the run where it is kept, however long that takes to open", async () => {
    const database = memoryDatabase();
    const { at, runs } = setUp({
      openDatabase: async () => {
        await soon();
        return { ...database, isPersistent: true };
      },
    });
    void at().open();
    const ended = at().start(config, "mine");
    await vi.waitFor(() => expect(runs).toHaveLength(1));
    runs[0]?.give(stepEvent(1), done(1), "end");
    await ended;
    expect((await database.runs()).size).toBe(1);
    expect(at().runs).toHaveLength(1);
  });

  it("resumes, shows, renames and deletes a kept run", async () => {
    const { run, ended, database } = await started();
    run.give(stepEvent(1), stepEvent(2), saved(2), done(2), "end");
    await ended;
    const openDatabase = async (): Promise<RunDatabase> => {
      await soon();
      return { ...database, isPersistent: true };
    };
    const first = setUp({ openDatabase, lock: fakeLocks().tab() });
    void first.at().open();
    await Promise.all([first.at().focus("run-1"), first.at().rename("run-1", "renamed")]);
    expect(first.at().failure).toBeUndefined();
    expect(first.at().data["run-1"]?.steps).toHaveLength(2);
    expect(first.at().runs[0]?.name).toBe("renamed");
    const second = setUp({ openDatabase, lock: fakeLocks().tab() });
    void second.at().open();
    void second.at().resumeRun("run-1");
    await vi.waitFor(() => expect(second.runs[0]?.call.checkpoint).toEqual(filesAt(2)));
    const third = setUp({ openDatabase, lock: fakeLocks().tab() });
    void third.at().open();
    await third.at().remove("run-1");
    expect(third.at()).toMatchObject({ runs: [], failure: undefined });
    expect((await database.runs()).size).toBe(0);
  });

  it("that comes while a run is trained, here or in another tab, is refused aloud", async () => {
    const locks = fakeLocks();
    const { at, run, runs, ended } = await started({ lock: locks.tab() });
    run.give(stepEvent(1));
    await vi.waitFor(() => expect(at().active?.phase).toBe("running"));
    await at().start(config, "second");
    expect(at().failure).toMatchObject({ code: "E_BUSY", runId: undefined });
    at().dismiss();
    await at().remove("run-1");
    expect(at().failure).toMatchObject({ code: "E_BUSY" });
    expect(at().runs).toHaveLength(1);
    const other = setUp({ lock: locks.tab() });
    void other.at().open();
    await other.at().start(config, "theirs");
    expect(other.at()).toMatchObject({ otherTab: true, active: undefined, failure: { code: "E_BUSY" } });
    expect(other.held()).toBe(0);
    run.give(done(1), "end");
    await ended;
    await vi.waitFor(() => expect(other.at().otherTab).toBe(false));
    void other.at().start(config, "theirs");
    await vi.waitFor(() => expect(other.runs).toHaveLength(1));
    expect(runs).toHaveLength(1);
  });

  it("on stop ends a run that is still waiting for its turn", async () => {
    const { at, runs, held } = setUp({ lock: fakeLocks().tab() });
    void at().open();
    const ended = at().start(config, "mine");
    at().stop();
    await ended;
    expect(runs).toHaveLength(0);
    expect(at()).toMatchObject({ active: undefined, failure: undefined });
    expect(held()).toBe(0);
  });
});
