import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { parseSftConfig } from "../../train/config/sft-config.ts";
import type { CompletionRecord, TrainEvent } from "../../train/events.ts";
import type { RunControl, RunEnvironment } from "../../train/run/environment.ts";
import { memoryEnvironment, TINY_GRPO, tinyModel, TINY_INIT } from "../../train/run/testing.ts";
import type { FolderRun, RunConfig } from "../train-in-folder.ts";
import { trainInFolder } from "../train-in-folder.ts";
import { RunFolder } from "../run-folder.ts";
import type { KillAt } from "./testing-killed-disk.ts";
import { Killed, killedDisk, nextProcess } from "./testing-killed-disk.ts";

/** In memory, where there is such a folder: thousands of runs are written. */
const root = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "r1-kills-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = (): string => join(root, String(folders++), "run");

type Part = Pick<FolderRun, "run" | "open" | "train">;

interface Process {
  readonly isKilled: boolean;
  readonly done: readonly string[];
  readonly notes: readonly string[];
}

/** How a reader, or a script, starts a run again: always resuming, or where a checkpoint is to be seen. */
const WAYS = {
  resuming: (directory: string) => (existsSync(directory) ? "resume" : "begin"),
  looking: (directory: string) => (existsSync(join(directory, "checkpoint")) ? "resume" : "begin"),
} as const;
type Way = keyof typeof WAYS;

async function processOf(part: Part, directory: string, way: Way, kill?: KillAt): Promise<Process> {
  const disk = killedDisk(kill);
  const folder = new RunFolder(directory, { disk, processes: nextProcess() });
  const notes: string[] = [];
  const options = { onNote: (line: string) => void notes.push(line), onEvent: () => undefined };
  try {
    await trainInFolder({ ...part, ...options, folder, how: WAYS[way](directory) });
    return { isKilled: false, done: disk.done, notes };
  } catch (error) {
    if (!(error instanceof Killed)) throw error;
    return { isKilled: true, done: disk.done, notes };
  }
}

/** What a run comes to: bytes of the checkpoint, and the logs without what a clock decides. */
function resultOf(directory: string): Readonly<Record<string, unknown>> {
  const checkpoint = join(directory, "checkpoint");
  const lines = (file: string): unknown[] => {
    const path = join(directory, file);
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    expect(text === "" || text.endsWith("\n")).toBe(true);
    return text.split("\n").slice(0, -1).map(timeless);
  };
  return {
    ...Object.fromEntries(
      readdirSync(checkpoint).map((name) => [name, readFileSync(join(checkpoint, name)).toString("base64")]),
    ),
    metrics: lines("metrics.jsonl"),
    completions: lines("completions.jsonl"),
    warnings: lines("warnings.jsonl"),
    names: readdirSync(directory).filter((name) => !name.startsWith("checkpoint.")),
  };
}

function timeless(line: string): unknown {
  const entries = Object.entries(JSON.parse(line) as object);
  return Object.fromEntries(entries.filter(([name]) => name !== "step_time" && !name.startsWith("throughput/")));
}

/** Runs once undisturbed, then kills at each operation and the process after it at another one, and compares. */
async function checkKills(
  part: Part,
  way: Way,
  second: (name: string, at: number) => Iterable<KillAt>,
): Promise<number> {
  const whole = newFolder();
  const { done } = await processOf(part, whole, way);
  const expected = resultOf(whole);
  for (const [first, name] of done.entries()) {
    let killed: string | undefined;
    for (const kill of second(name, first)) {
      if (killed === undefined) {
        killed = newFolder();
        expect((await processOf(part, killed, way, first)).isKilled).toBe(true);
      }
      // What the first kill leaves is the same each time: what it left once is copied.
      const directory = newFolder();
      if (existsSync(killed)) cpSync(killed, directory, { recursive: true });
      const { isKilled } = await processOf(part, directory, way, kill);
      if (isKilled) await processOf(part, directory, way);
      expect(resultOf(directory), `${name} (${first}), then ${kill}`).toEqual(expected);
      rmSync(join(directory, ".."), { recursive: true });
      // A second process that came to its end has no later operation either.
      if (!isKilled) break;
    }
  }
  return done.length;
}

/** The same operation again where it is the first one of its name. */
function again(): (name: string) => Iterable<KillAt> {
  const seen = new Set<string>();
  return (name) => (seen.has(name) ? [] : (seen.add(name), [name]));
}

/** Every operation that a second process may have. */
function* every(): Generator<number> {
  for (let at = 0; ; at++) yield at;
}

const STEPS = 4;

/** A run without a device: each step's value follows from the one before, as weights do. */
async function* fakeTraining(
  { checkpoints }: RunEnvironment,
  _: RunConfig,
  { resume = false }: RunControl,
): AsyncGenerator<TrainEvent> {
  let [step, value] = [0, 1];
  if (resume) {
    const folder = await checkpoints.open();
    const bytes = async (name: string) => {
      const source = await folder?.open(name);
      return new TextDecoder().decode(await source?.read(0, source.size));
    };
    value = Number(await bytes("model.safetensors"));
    step = (JSON.parse(await bytes("trainer_state.json")) as { global_step: number }).global_step;
  }
  if (step === 0) yield { type: "eval", step, metrics: { eval_accuracy: value } };
  while (step < STEPS) {
    step++;
    value = (value * 16_807) % 2_147_483_647;
    yield { type: "warning", step, code: "DEAD_GROUPS", message: String(value) };
    yield { type: "step", step, metrics: { reward: value }, completions: [completion(step, value)] };
    if (step % 2 === 0) yield { type: "saved", step, path: await checkpoints.save(filesOf(step, value)) };
  }
  yield { type: "done", step, reason: "finished" };
}

function filesOf(step: number, value: number): Map<string, Uint8Array<ArrayBuffer>> {
  const state = { global_step: step, applied_steps: step, num_input_tokens_seen: 10 * step };
  return new Map([
    ["model.safetensors", new TextEncoder().encode(String(value))],
    ["trainer_state.json", new TextEncoder().encode(JSON.stringify(state))],
  ]);
}

function completion(step: number, value: number): CompletionRecord {
  return {
    step,
    group: 0,
    prompt: "p",
    completion: String(value),
    rewards: {},
    reward: 1,
    advantage: 0,
    length: 1,
    finish_reason: "eos",
  };
}

const FAKE: Part = {
  run: { kind: "sft", config: parseSftConfig({ init: TINY_INIT, task: "countdown", max_steps: STEPS, save_every: 2 }) },
  open: async () => {
    const context = { adapter: {}, features: { subgroups: false, f16: false } };
    return { context } as unknown as RunEnvironment;
  },
  train: fakeTraining,
};

describe("a run that is killed twice", () => {
  it("loses nothing at any two operations", async () => {
    expect(await checkKills(FAKE, "resuming", every)).toBeGreaterThan(30);
  });

  it("loses nothing where it is resumed only if a checkpoint is to be seen", async () => {
    await checkKills(FAKE, "looking", (name, at) => [name, at, 6]);
  });

  it("of SFT comes to the same bits", async () => {
    const environment = await memoryEnvironment();
    const config = parseSftConfig({
      init: { ...TINY_INIT, num_hidden_layers: 1 },
      task: "countdown",
      num_examples: 8,
      max_steps: 2,
      per_device_train_batch_size: 1,
      max_length: 96,
      max_tokens_per_pack: 96,
      learning_rate: 2e-2,
      eval_every: 0,
      save_every: 1,
    });
    await checkKills({ run: { kind: "sft", config }, open: async () => environment }, "resuming", (name) => [name]);
  });

  it("of GRPO with an adapter comes to the same bits", async () => {
    const environment = await memoryEnvironment({ tiny: tinyModel() });
    const config = parseGrpoConfig({
      ...TINY_GRPO,
      lora: { r: 2 },
      max_steps: 2,
      per_step_prompts: 2,
      num_generations: 2,
      max_completion_length: 2,
      save_every: 1,
    });
    await checkKills({ run: { kind: "grpo", config }, open: async () => environment }, "looking", again());
  });
});
