import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { buildSafetensors } from "../checkpoint/safetensors/write.ts";
import { parseSftConfig } from "../train/config/sft-config.ts";
import type { RunHeader } from "../train/record/run-record.ts";
import { RunFolder } from "./run-folder.ts";

const root = mkdtempSync(join(tmpdir(), "r1-folder-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const header: RunHeader = {
  kind: "sft",
  version: "0",
  started: "2026-01-01T00:00:00.000Z",
  seed: 0,
  max_steps: 8,
  device: {},
  config: parseSftConfig({ model: "m", task: "countdown", max_steps: 8, save_every: 2 }),
};
const anyRun = (): void => undefined;

function filesOf(step: number): Map<string, Uint8Array<ArrayBuffer>> {
  const data = Float32Array.from({ length: 64 }, (_, i) => i + step);
  const state = { global_step: step, applied_steps: step, num_input_tokens_seen: 10 * step };
  return new Map([
    ["config.json", new TextEncoder().encode("{}\n")],
    ["optimizer.safetensors", buildSafetensors({ values: { dtype: "F32", shape: [64], data } })],
    ["trainer_state.json", new TextEncoder().encode(`${JSON.stringify(state)}\n`)],
  ]);
}

/** The folder of a run of so many steps, with a checkpoint after every second one. */
async function runOf(steps: number): Promise<string> {
  const directory = join(root, String(folders++));
  const folder = new RunFolder(directory);
  await folder.begin(anyRun);
  folder.started(() => header);
  for (let step = 1; step <= steps; step++) {
    folder.append("completions.jsonl", JSON.stringify({ step, text: "é" }));
    folder.append("metrics.jsonl", JSON.stringify({ step, loss: 1 / step }));
    if (step % 2 === 0) await folder.save(filesOf(step));
  }
  folder.release();
  return directory;
}

interface Resumed {
  readonly step: number | undefined;
  readonly notes: readonly string[];
  readonly metrics: readonly number[];
}

async function resume(directory: string): Promise<Resumed> {
  const folder = new RunFolder(directory);
  try {
    const { resumes, notes } = await folder.resume(anyRun, 8);
    const more = folder.started(() => header);
    const checkpoint = await folder.open();
    const state = await checkpoint?.open("trainer_state.json");
    const json =
      state && (JSON.parse(new TextDecoder().decode(await state.read(0, state.size))) as { global_step: number });
    const text = readFileSync(join(directory, "metrics.jsonl"), "utf8");
    return {
      step: resumes ? json?.global_step : undefined,
      notes: [...notes, ...more],
      metrics: text
        .split("\n")
        .slice(0, -1)
        .map((line) => (JSON.parse(line) as { step: number }).step),
    };
  } finally {
    folder.release();
  }
}

describe("a checkpoint", () => {
  it("that was flipped a bit of, anywhere, is named, and the one before is gone on from", async () => {
    const source = await runOf(4);
    for (const file of readdirSync(join(source, "checkpoint"))) {
      const size = readFileSync(join(source, "checkpoint", file)).length;
      for (const at of [0, 1, size >> 2, size >> 1, size - 2, size - 1]) {
        const directory = join(root, `${folders++}`);
        cpSync(source, directory, { recursive: true });
        const path = join(directory, "checkpoint", file);
        const bytes = readFileSync(path);
        bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
        writeFileSync(path, bytes);
        const found = await resume(directory);
        expect(found, `${file} at ${at}`).toMatchObject({ step: 2, metrics: [1, 2] });
        expect(found.notes[0]).toContain(`${join(directory, "checkpoint")}: `);
        expect(found.notes[0]).toMatch(/damaged|missing/);
        expect(found.notes[0]).toContain(file === "SHA256SUMS" ? "SHA256SUMS" : `${file} is damaged`);
        expect(existsSync(join(directory, "checkpoint.damaged", file))).toBe(true);
        rmSync(directory, { recursive: true });
      }
    }
  });

  it.each([
    [
      "a file is cut off",
      (path: string) => writeFileSync(join(path, "optimizer.safetensors"), "x"),
      "optimizer.safetensors",
    ],
    [
      "a file is gone",
      (path: string) => rmSync(join(path, "trainer_state.json")),
      "trainer_state.json, which SHA256SUMS lists, is missing",
    ],
    ["the sums are cut off at a line", (path: string) => cutLine(join(path, "SHA256SUMS")), "SHA256SUMS is damaged"],
    ["a file is a folder", (path: string) => toFolder(join(path, "config.json")), "config.json"],
    [
      "the step is another one, and its sum",
      (path: string) => cpSync(join(path, "../checkpoint.old/trainer_state.json"), join(path, "trainer_state.json")),
      "trainer_state.json is damaged",
    ],
  ])("is named where %s", async (_, damage, named) => {
    const directory = await runOf(4);
    damage(join(directory, "checkpoint"));
    const found = await resume(directory);
    expect(found.step).toBe(2);
    expect(found.notes[0]).toContain(named);
  });

  it("is refused by name where no other one is whole, and stays", async () => {
    const directory = await runOf(2);
    writeFileSync(join(directory, "checkpoint/optimizer.safetensors"), "x");
    await expect(resume(directory)).rejects.toMatchObject({
      code: "E_HASH",
      message: expect.stringContaining("checkpoint: optimizer.safetensors is damaged") as string,
    });
    expect(existsSync(join(directory, "checkpoint"))).toBe(true);
    expect(readFileSync(join(directory, "metrics.jsonl"), "utf8")).toContain('"step":2');
  });

  it.each(["checkpoint.new", "checkpoint.old"])("is found under the name %s", async (name) => {
    const directory = await runOf(4);
    rmSync(join(directory, "checkpoint.old"), { recursive: true });
    renameSync(join(directory, "checkpoint"), join(directory, name));
    expect(await resume(directory)).toMatchObject({ step: 4, metrics: [1, 2, 3, 4] });
  });

  it("is the newest of those that are whole", async () => {
    const directory = await runOf(4);
    cpSync(join(directory, "checkpoint"), join(directory, "checkpoint.new"), { recursive: true });
    rmSync(join(directory, "checkpoint"), { recursive: true });
    cpSync(join(directory, "checkpoint.old"), join(directory, "checkpoint"), { recursive: true });
    expect((await resume(directory)).step).toBe(4);
    expect(readdirSync(directory)).not.toContain("checkpoint.new");
  });

  describe("of an older version, without sums,", () => {
    async function older(steps: number): Promise<string> {
      const directory = await runOf(steps);
      rmSync(join(directory, "checkpoint/SHA256SUMS"));
      rmSync(join(directory, "checkpoint.old"), { recursive: true, force: true });
      return directory;
    }

    it("resumes", async () => {
      expect(await resume(await older(4))).toEqual({ step: 4, notes: [], metrics: [1, 2, 3, 4] });
    });

    it.each([1e9, 9, -1, 1.5, "4", null])("is refused with a step of %s", async (step) => {
      const directory = await older(4);
      const state = { global_step: step, applied_steps: 4, num_input_tokens_seen: 40 };
      writeFileSync(join(directory, "checkpoint/trainer_state.json"), JSON.stringify(state));
      await expect(resume(directory)).rejects.toMatchObject({
        code: "E_HASH",
        message: expect.stringContaining("global_step") as string,
      });
    });

    it("is refused with half an optimizer", async () => {
      const directory = await older(4);
      const path = join(directory, "checkpoint/optimizer.safetensors");
      writeFileSync(path, readFileSync(path).subarray(0, 200));
      await expect(resume(directory)).rejects.toMatchObject({ code: "E_HASH" });
    });

    it("tells which lines an earlier kill took", async () => {
      const directory = await older(4);
      writeFileSync(join(directory, "metrics.jsonl"), '{"step":1}\n{"step":2}\n');
      const found = await resume(directory);
      expect(found).toMatchObject({ step: 4, metrics: [1, 2] });
      expect(found.notes[0]).toContain("the lines of steps 3 to 4 are lost");
    });
  });
});

function cutLine(path: string): void {
  const lines = readFileSync(path, "utf8").split("\n");
  writeFileSync(path, `${lines.slice(0, -2).join("\n")}\n`);
}

function toFolder(path: string): void {
  rmSync(path);
  mkdirSync(path);
}

describe("the end of a log", () => {
  it.each([
    ["half a line", '{"step":5,"lo'],
    ["NUL bytes", "\0\0\0\0"],
    ["NUL bytes and a line's end", "\0\0\0\0\n"],
    ["half a line, NUL bytes and a line's end", '{"step":5,"lo\0\0\n'],
  ])("is repaired of %s, and it is said", async (_, tail) => {
    const directory = await runOf(4);
    for (const file of ["metrics.jsonl", "completions.jsonl"]) {
      writeFileSync(join(directory, file), tail, { flag: "a" });
    }
    const found = await resume(directory);
    expect(found).toMatchObject({ step: 4, metrics: [1, 2, 3, 4] });
    expect(found.notes).toHaveLength(2);
    for (const note of found.notes) expect(note).toMatch(/(metrics|completions)\.jsonl: its end was cut off/);
  });
});

describe("a new run", () => {
  const begin = async (directory: string, overwrite = false) => {
    const folder = new RunFolder(directory);
    try {
      return await folder.begin(anyRun, overwrite);
    } finally {
      folder.release();
    }
  };

  it("begins in an empty folder, and over what a kill before the first line left", async () => {
    const directory = join(root, `${folders++}`);
    mkdirSync(directory);
    writeFileSync(join(directory, "run.json.new"), "{");
    writeFileSync(join(directory, "run.lock.77"), "");
    expect(await begin(directory)).toEqual({ resumes: false, notes: [] });
    expect(existsSync(join(directory, "run.json.new"))).toBe(false);
  });

  it.each([
    ["a run", async () => runOf(4), /holds a run already \(sft\); resume it with --resume, .*--overwrite/],
    ["a checkpoint alone", async () => without(await runOf(4), "run.json"), /holds a run's checkpoint/],
    ["other files", async () => foreign(), /is not empty, and holds no run but "a", "b", "c" and 1 more/],
    [
      "a log that goes past the first checkpoint",
      async () => without(await runOf(4), "checkpoint", "checkpoint.old"),
      /metrics\.jsonl goes to step 4, but there is no checkpoint/,
    ],
  ])("is refused over %s", async (_, make, message) => {
    const directory = await make();
    const before = readdirSync(directory);
    await expect(begin(directory)).rejects.toThrow(message);
    expect(readdirSync(directory)).toEqual(before);
  });

  it.each([
    ["", "E_JSON"],
    ["\0\0\0\0", "E_JSON"],
    ['{"kind":5}', "E_FORMAT"],
  ])("says what to do where run.json is damaged: %j", async (content, code) => {
    const directory = await runOf(4);
    writeFileSync(join(directory, "run.json"), content);
    for (const refused of [() => resume(directory), () => begin(directory)]) {
      const message = expect.stringMatching(/run\.json: .*; put the run's own run\.json back, or begin anew/) as string;
      await expect(refused()).rejects.toMatchObject({ code, message });
    }
    expect(existsSync(join(directory, "run.lock"))).toBe(false);
    expect((await begin(directory, true)).resumes).toBe(false);
  });

  it("replaces a run where it is asked to, and leaves other files", async () => {
    const directory = await runOf(4);
    writeFileSync(join(directory, "notes.txt"), "mine");
    await begin(directory, true);
    expect(readdirSync(directory).filter((name) => !name.endsWith(".jsonl"))).toEqual(["notes.txt"]);
  });

  it("of another configuration is refused over one that has no checkpoint yet", async () => {
    const directory = without(await runOf(1));
    const folder = new RunFolder(directory);
    const differs = (): never => {
      throw new Error("not reached");
    };
    await expect(folder.begin(differs)).rejects.toThrow("not reached");
    folder.release();
  });
});

function without(directory: string, ...names: string[]): string {
  for (const name of names) rmSync(join(directory, name), { recursive: true });
  return directory;
}

function foreign(): string {
  const directory = join(root, `${folders++}`);
  mkdirSync(directory);
  for (const name of ["a", "b", "c", "d"]) writeFileSync(join(directory, name), "");
  return directory;
}

describe("the lock", () => {
  const lockOf = (directory: string) => JSON.parse(readFileSync(join(directory, "run.lock"), "utf8")) as object;

  it("refuses the second of two by the first one's number", async () => {
    const directory = await runOf(2);
    const first = new RunFolder(directory);
    await first.resume(anyRun, 8);
    for (const second of [
      () => new RunFolder(directory).resume(anyRun, 8),
      () => new RunFolder(directory).begin(anyRun, true),
    ]) {
      await expect(second()).rejects.toMatchObject({
        code: "E_BUSY",
        message: expect.stringContaining(`process ${process.pid} is using it`) as string,
      });
    }
    first.release();
    expect(existsSync(join(directory, "run.lock"))).toBe(false);
    expect((await resume(directory)).notes).toEqual([]);
  });

  it.each([
    ["a process that has ended", (lock: object) => ({ ...lock, pid: 2 ** 22 + 1 })],
    ["a process whose number another one has now", (lock: object) => ({ ...lock, start: "1" })],
    ["a machine that was started again", (lock: object) => ({ ...lock, boot: "before" }), 1e9],
    ["another machine that has not been heard from", (lock: object) => ({ ...lock, host: "other" }), 121],
    ["a container that has not been heard from", (lock: object) => ({ ...lock, space: "pid:[1]" }), 121],
    ["nobody, as it was cut off", () => undefined, 60],
  ])("is taken over from %s", async (_, change, seconds = 0) => {
    const directory = await locked(change);
    const at = Date.now() / 1000 - seconds;
    utimesSync(join(directory, "run.lock"), at, at);
    const { notes, step } = await resume(directory);
    expect(step).toBe(2);
    expect(notes).toEqual([
      expect.stringMatching(/the folder's lock was left by .*, which is gone; it was taken over/),
    ]);
  });

  it.each([
    ["another machine", (lock: object) => ({ ...lock, host: "other" }), "on other"],
    ["a container on this machine", (lock: object) => ({ ...lock, space: "pid:[1]" }), `on ${hostname()}`],
    ["another machine of the same name", (lock: object) => ({ ...lock, boot: "other" }), `on ${hostname()}`],
  ])("is left to %s that shows that it lives", async (_, change, named) => {
    const directory = await locked(change);
    await expect(resume(directory)).rejects.toMatchObject({
      code: "E_BUSY",
      message: expect.stringContaining(named) as string,
    });
  });

  it("is taken over from a process that is dead and not yet waited for", async () => {
    if (process.platform !== "linux") return;
    // A shell that never waits for its child.
    const shell = spawn("sh", ["-c", "sleep 0.05 & echo $!; exec sleep 5"]);
    const pid = Number(await new Promise((resolve) => void shell.stdout.once("data", (data) => resolve(String(data)))));
    const stat = (): string => readFileSync(`/proc/${pid}/stat`, "utf8");
    const start = stat().split(" ")[21];
    while (!/\) Z /.test(stat())) await new Promise((resolve) => void setTimeout(resolve, 10));
    const directory = await locked((lock) => ({ ...lock, pid, start }));
    expect((await resume(directory)).step).toBe(2);
    shell.kill();
  });

  async function locked(change: (lock: object) => object | undefined): Promise<string> {
    const directory = await runOf(2);
    const folder = new RunFolder(directory);
    await folder.resume(anyRun, 8);
    const lock = lockOf(directory);
    folder.release();
    const changed = change(lock);
    writeFileSync(join(directory, "run.lock"), changed ? JSON.stringify(changed) : "");
    return directory;
  }
});
