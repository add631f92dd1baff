import { describe, expect, it } from "vitest";
import type { TrainStepEvent } from "../../engine/protocol.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import { checkpointStepOf, modelFilesOf, tarOf } from "./checkpoint-files.ts";
import { memoryDatabase } from "./memory-database.ts";
import { RunArchive } from "./run-archive.ts";
import type { RunDatabase } from "./run-database.ts";

const header: RunHeader = {
  kind: "grpo",
  version: "0.1.0",
  started: "2026-11-24T12:00:00.000Z",
  seed: 0,
  max_steps: 9,
  device: { description: "fake" },
  config: parseGrpoConfig({ model: "models/m", task: "countdown", max_steps: 9 }),
};
const run = { id: "a", name: "first", header };
const stepEvent = (step: number): TrainStepEvent => ({
  type: "step",
  step,
  metrics: { reward: step / 10 },
  completions: [
    {
      step,
      group: 0,
      prompt: "p",
      completion: "line\nline",
      rewards: { accuracy: 1 },
      reward: 1,
      advantage: 0,
      length: 2,
      finish_reason: "eos",
    },
  ],
});
const bytes = (text: string) => new TextEncoder().encode(text);
const files = { "model.safetensors": bytes("weights"), "trainer_state.json": bytes('{"global_step": 2}') };

async function written(database: RunDatabase = memoryDatabase()): Promise<RunArchive> {
  const archive = new RunArchive(database);
  const writer = await archive.writer(run, -1);
  await writer.event({ type: "eval", step: 0, metrics: { eval_accuracy: 0.5 } });
  for (const step of [1, 2]) await writer.event(stepEvent(step));
  await writer.checkpoint(files, 2);
  await writer.event({ type: "warning", step: 3, code: "DEAD_GROUPS", message: "all equal" });
  await writer.event(stepEvent(3));
  return archive;
}

describe("the archive of runs", () => {
  it("gives back what was written", async () => {
    const archive = await written();
    expect(await archive.list()).toEqual({
      runs: [{ id: "a", name: "first", header, step: 3, checkpointStep: 2 }],
      broken: [],
    });
    const found = await archive.open("a");
    expect(found).toMatchObject({ id: "a", name: "first", isRecorded: false, header });
    expect(found.steps).toEqual([1, 2, 3].map(stepEvent));
    expect(found.evaluations).toEqual([{ type: "eval", step: 0, metrics: { eval_accuracy: 0.5 } }]);
    expect(found.warnings).toHaveLength(1);
    expect(await archive.checkpoint("a")).toEqual(files);
  });

  it("goes on after a checkpoint, without what came after it", async () => {
    const archive = await written();
    const writer = await archive.writer(run, 2);
    expect((await archive.list()).runs[0]).toMatchObject({ step: 2, checkpointStep: 2 });
    await writer.event(stepEvent(3));
    await writer.event(stepEvent(4));
    const found = await archive.open("a");
    expect(found.steps.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(found.warnings).toEqual([]);
  });

  it("renames, and removes with everything", async () => {
    const database = memoryDatabase();
    const archive = await written(database);
    await archive.rename("a", "better");
    expect((await archive.open("a")).name).toBe("better");
    await archive.remove("a");
    expect(await archive.list()).toEqual({ runs: [], broken: [] });
    expect(await database.chunks("a")).toEqual([]);
    await expect(archive.checkpoint("a")).rejects.toMatchObject({ code: "E_FILE_MISSING" });
  });

  it("says which runs are damaged, lists the others, and lets them be removed", async () => {
    const database = memoryDatabase();
    const archive = await written(database);
    const rows: Record<string, unknown> = {
      x: undefined,
      y: { id: "y" },
      z: { ...run, header: "{", step: 0, checkpointStep: 0 },
    };
    const damaged: RunDatabase = {
      ...database,
      runs: async () => new Map([...(await database.runs()), ...Object.entries(rows)]),
    };
    const { runs, broken } = await new RunArchive(damaged).list();
    expect(runs.map(({ id }) => id)).toEqual(["a"]);
    expect(broken.map(({ id }) => id)).toEqual(["x", "y", "z"]);
    for (const { reason } of broken) expect(reason).not.toBe("");
    await archive.remove("z");
  });

  it("refuses damaged logs and checkpoints by their place", async () => {
    const database = memoryDatabase();
    await written(database);
    const chunk = { run: "a", seq: 9, step: 4, logs: { "metrics.jsonl": '{"step": "x"}\n' } };
    const chunks = async () => [...(await database.chunks("a")), chunk];
    await expect(new RunArchive({ ...database, chunks }).open("a")).rejects.toThrow(/metrics\.jsonl: line 5: step/);
    const checkpoint = async () => ({ "../x": new Uint8Array(1) });
    await expect(new RunArchive({ ...database, checkpoint }).checkpoint("a")).rejects.toMatchObject({
      code: "E_CHECKPOINT",
    });
  });

  it("tells every later write that the first failed", async () => {
    const database = memoryDatabase();
    const full: RunDatabase = {
      ...database,
      append: async () => {
        throw new DOMException("full", "QuotaExceededError");
      },
    };
    const writer = await new RunArchive(full).writer(run, -1);
    const first = writer.event(stepEvent(1));
    const second = writer.checkpoint(files, 1);
    await expect(first).rejects.toThrow("full");
    await expect(second).rejects.toThrow("full");
    await expect(database.checkpoint("a", "newest")).resolves.toBeUndefined();
  });
});

describe("a damaged checkpoint", () => {
  const weights = (text: string) => ({
    "model.safetensors": bytes(text),
    "trainer_state.json": bytes('{"global_step": 1}'),
  });

  /** Two checkpoints, of steps 1 and 2, in a database whose newest row the test may change. */
  async function twice(change: (row: unknown) => unknown, withBefore = true): Promise<RunArchive> {
    const database = memoryDatabase();
    const writer = await new RunArchive(database).writer(run, -1);
    if (withBefore) await writer.checkpoint(weights("older"), 1);
    await writer.checkpoint(files, 2);
    let isSwapped = false;
    return new RunArchive({
      ...database,
      checkpoint: async (id, which) => {
        const row: unknown = await database.checkpoint(id, which);
        return which === "newest" && !isSwapped ? change(structuredClone(row)) : row;
      },
      swapCheckpoints: async (row) => {
        isSwapped = true;
        await database.swapCheckpoints(row);
      },
    });
  }

  const flipped = (row: unknown): unknown => {
    const { files: stored } = row as { files: Record<string, Uint8Array> };
    const part = stored["model.safetensors"];
    if (part) part[3] = (part[3] ?? 0) ^ 1;
    return row;
  };

  it.each([
    ["a bit is flipped", flipped, /step 2: model\.safetensors is not as it was written/],
    [
      "a file is cut off",
      (row: unknown) => {
        const { files: stored } = row as { files: Record<string, Uint8Array> };
        stored["model.safetensors"] = bytes("weig");
        return row;
      },
      /model\.safetensors is not as it was written/,
    ],
    [
      "a file is gone",
      (row: unknown) => {
        delete (row as { files: Record<string, Uint8Array> }).files["model.safetensors"];
        return row;
      },
      /model\.safetensors is missing/,
    ],
    ["it is something else", () => "a text", /the row|expected/i],
    [
      "an earlier page has kept it without its step",
      () => ({ "model.safetensors": bytes("w") }),
      /trainer_state\.json/,
    ],
  ])("says what is wrong where %s, and offers the one before", async (_, change, words) => {
    const archive = await twice(change);
    const error: unknown = await archive.checkpoint("a").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "E_CHECKPOINT", details: { run: "a", earlierStep: 1 } });
    expect(String(error)).toMatch(words);
    expect(await archive.useEarlierCheckpoint("a")).toBe(1);
    expect((await archive.list()).runs[0]).toMatchObject({ checkpointStep: 1, step: 0 });
    expect(await archive.checkpoint("a")).toEqual(weights("older"));
  });

  it("without one before it is said to be damaged all the same", async () => {
    const archive = await twice(flipped, false);
    await expect(archive.checkpoint("a")).rejects.toMatchObject({ code: "E_CHECKPOINT", details: { run: "a" } });
    await expect(archive.useEarlierCheckpoint("a")).rejects.toMatchObject({ code: "E_FILE_MISSING" });
  });

  it("that the browser cannot read is damaged too", async () => {
    const database = memoryDatabase();
    const writer = await new RunArchive(database).writer(run, -1);
    await writer.checkpoint(files, 2);
    const unreadable: RunDatabase = {
      ...database,
      checkpoint: async () => Promise.reject(new DOMException("internal error", "UnknownError")),
    };
    await expect(new RunArchive(unreadable).checkpoint("a")).rejects.toMatchObject({ code: "E_CHECKPOINT" });
  });

  it("is none where an earlier page has kept its files alone", async () => {
    const database = memoryDatabase();
    const writer = await new RunArchive(database).writer(run, -1);
    await writer.checkpoint(files, 2);
    const old: RunDatabase = { ...database, checkpoint: async () => files };
    expect(await new RunArchive(old).checkpoint("a")).toEqual(files);
  });
});

describe("a checkpoint's files", () => {
  it("say their step, and the model among them", () => {
    expect(checkpointStepOf(files)).toBe(2);
    expect(checkpointStepOf({})).toBe(0);
    expect(modelFilesOf(files, "mine").map(({ path }) => path)).toEqual(["mine/model.safetensors"]);
  });

  it("make an archive in blocks of 512 bytes whose checksums are right", async () => {
    const tar = new Uint8Array(await tarOf(modelFilesOf(files, "mine"), new Date(1_700_000_000_000)).arrayBuffer());
    expect(tar.length).toBe(4 * 512);
    const text = (at: number, length: number) => new TextDecoder().decode(tar.subarray(at, at + length));
    expect(text(0, 22)).toBe("mine/model.safetensors");
    expect(Number.parseInt(text(124, 11), 8)).toBe(7);
    expect(text(257, 5)).toBe("ustar");
    expect(text(512, 7)).toBe("weights");
    const checked = tar.slice(0, 512).fill(32, 148, 156);
    expect(Number.parseInt(text(148, 6), 8)).toBe(checked.reduce((sum, byte) => sum + byte, 0));
  });
});
