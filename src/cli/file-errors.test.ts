import { spawn, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isR1Error } from "../errors.ts";
import { Args } from "./args.ts";
import type { Command } from "./command.ts";
import { downloadCommand } from "./commands/download.ts";
import { exportCommand } from "./commands/export.ts";
import { gradeCommand } from "./commands/grade.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { rejectSampleCommand } from "./commands/reject-sample.ts";
import { templateCommand, tokenizeCommand } from "./commands/text.ts";
import { trainCommand } from "./commands/train.ts";
import { AcceptedFile } from "./run/accepted-file.ts";

const ROOT = join(import.meta.dirname, "../..");
const MODEL = join(ROOT, "public/models/tiny-random");
const folder = mkdtempSync(join(tmpdir(), "r1-files-"));
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => join(folder, name);
writeFileSync(at("file"), "x");
mkdirSync(at("folder"));
symlinkSync("loop", at("loop"));
const SFT = {
  init: {
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 256,
  },
  task: "countdown",
  num_examples: 32,
  max_steps: 2000,
  save_every: 0,
  per_device_train_batch_size: 1,
  max_length: 96,
  max_tokens_per_pack: 96,
  eval_every: 0,
};
writeFileSync(at("sft.json"), JSON.stringify(SFT));

async function failure(command: Command, argv: readonly string[]): Promise<string> {
  try {
    await command.run(new Args(argv, command.options, command.maxPositionals));
  } catch (error) {
    // What a command lets through, the command line still puts into words.
    if (isR1Error(error)) return `${error.code}: ${error.message}`;
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  }
  return "no failure";
}

const LONG = "x".repeat(300);

describe("a path to read", () => {
  it.each(["file/x", LONG, "loop", "nothing"])("of %.10s is told with a code and the path", async (name) => {
    const path = at(name);
    for (const said of [
      await failure(inspectCommand, [path]),
      await failure(tokenizeCommand, ["--model", path, "--text", "x"]),
      await failure(tokenizeCommand, ["--model", MODEL, "--file", path]),
      await failure(templateCommand, ["--model", MODEL, "--messages", path]),
      await failure(gradeCommand, ["--file", path]),
      await failure(exportCommand, ["--model", path, "--to", "gguf", "--out", at("o.gguf")]),
      await failure(exportCommand, ["--model", MODEL, "--adapter", path, "--to", "gguf", "--out", at("o.gguf")]),
      await failure(trainCommand, ["sft", "--config", path, "--out", at("o")]),
    ]) {
      expect(said).toMatch(/^E_FILE_(READ|MISSING): /);
      expect(said).toContain(path);
    }
  });

  it("says what is the matter", async () => {
    expect(await failure(inspectCommand, [at("file/x")])).toContain("a part of the path is a file");
    expect(await failure(inspectCommand, [at(LONG)])).toContain("the name is too long");
    expect(await failure(inspectCommand, [at("loop")])).toContain("links lead in a circle");
    expect(await failure(inspectCommand, [at("nothing")])).toContain("no such file or folder");
  });
});

describe("a device in the place of a text", () => {
  it.runIf(existsSync("/dev/zero"))("that never ends is refused, one that is empty is no text", async () => {
    for (const run of [
      () => failure(tokenizeCommand, ["--model", MODEL, "--file", "/dev/zero"]),
      () => failure(trainCommand, ["sft", "--config", "/dev/zero", "--out", at("x")]),
    ]) {
      expect(await run()).toMatch(/^E_FORMAT: \/dev\/zero: found a device or pipe that goes on; expected at most/);
    }
    expect(await failure(trainCommand, ["sft", "--config", "/dev/null", "--out", at("x")])).toMatch(/^E_JSON: /);
  });
});

describe("a path to write", () => {
  const commands: readonly (readonly [string, (out: string) => Promise<string>])[] = [
    ["export of a file", (out) => failure(exportCommand, ["--model", MODEL, "--to", "gguf", "--out", `${out}.gguf`])],
    ["export of a folder", (out) => failure(exportCommand, ["--model", MODEL, "--to", "safetensors", "--out", out])],
    ["train", (out) => failure(trainCommand, ["sft", "--config", at("sft.json"), "--out", out])],
    [
      "reject-sample",
      (out) => failure(rejectSampleCommand, ["--model", "not looked at", "--task", "countdown", "--out", out]),
    ],
  ];

  describe.each(commands)("of %s", (_, run) => {
    it.each([
      ["in a file", "file/x/y", "a part of the path is a file"],
      ["of a long name", LONG, "the name is too long"],
      ["in a circle of links", "loop/x", "links lead in a circle"],
    ])("is refused before any work: %s", async (__, name, words) => {
      const said = await run(at(name));
      expect(said).toMatch(/^E_STORAGE: /);
      expect(said).toContain(at(name));
      expect(said).toContain(words);
    });

    it.runIf(process.platform === "linux")("is refused where nothing can be made", async () => {
      expect(await run("/proc/r1-test/x")).toMatch(/^E_STORAGE: \/proc\/r1-test\/x/);
    });
  });

  it.each([
    [trainCommand, ["sft", "--config", at("sft.json"), "--out", ""], "--out is empty"],
    [exportCommand, ["--model", MODEL, "--to", "safetensors", "--out", " "], "--out is empty"],
    [rejectSampleCommand, ["--model", "", "--task", "countdown", "--out", at("x")], "--model is empty"],
    [inspectCommand, [""], "an argument is empty"],
  ])("that is empty is wrong usage: %#", async (command, args, words) => {
    expect(await failure(command, args)).toContain(`UsageError: ${words}`);
  });

  it("that has another kind of thing is refused", async () => {
    expect(await failure(rejectSampleCommand, ["--model", "x", "--task", "countdown", "--out", at("folder")])).toMatch(
      /^E_STORAGE: .*folder: found a folder; expected a file/,
    );
    expect(await failure(trainCommand, ["sft", "--config", at("sft.json"), "--out", at("file")])).toMatch(
      /^E_STORAGE: .*file: .*something else has this name/,
    );
    expect(await failure(exportCommand, ["--model", MODEL, "--to", "safetensors", "--out", at("file")])).toMatch(
      /^E_STORAGE: .*file: .*something else has this name/,
    );
    expect(await failure(downloadCommand, ["a/b", "--endpoint", "http://127.0.0.1:1", "--out", at("file")])).toMatch(
      /^E_(HTTP|STORAGE)/,
    );
  });

  it.runIf(existsSync("/dev/full"))("on a full device is told as one", () => {
    const file = new AcceptedFile("/dev/full", {});
    file.start();
    expect(() => file.add(1, ["{}"])).toThrow(
      expect.objectContaining({
        code: "E_QUOTA",
        message: expect.stringMatching(/^\/dev\/full: .*no space is left/) as string,
      }),
    );
    expect(readdirSync("/dev").filter((name) => name.startsWith("full"))).toEqual(["full"]);
  });
});

describe("accepted samples", () => {
  const settings = { seed: 0, n: 3 };
  const open = (name: string, key: Readonly<Record<string, number>> = settings) => new AcceptedFile(at(name), key);
  const started = (name: string) => {
    const file = open(name);
    return Object.assign(file, { notes: file.start() });
  };

  it("are in the file as they come, and are gone on with after a kill", () => {
    const killed = started("a.jsonl");
    killed.add(1, ['{"a":1}', '{"a":2}']);
    killed.add(1, ['{"a":3}']);
    expect(readFileSync(at("a.jsonl"), "utf8")).toBe('{"a":1}\n{"a":2}\n{"a":3}\n');
    // Half a line that the note does not count.
    writeFileSync(at("a.jsonl"), '{"a":4', { flag: "a" });
    const next = started("a.jsonl");
    expect(next).toMatchObject({ problems: 2, accepted: 3 });
    expect(next.notes[0]).toContain("goes on after 2 problems");
    next.add(1, ['{"a":4}']);
    next.finish();
    expect(readFileSync(at("a.jsonl"), "utf8")).toBe('{"a":1}\n{"a":2}\n{"a":3}\n{"a":4}\n');
    expect(readdirSync(folder).filter((name) => name.startsWith("a.jsonl"))).toEqual(["a.jsonl"]);
  });

  it("of other settings are not mixed", () => {
    started("b.jsonl").add(1, ["{}"]);
    expect(() => open("b.jsonl", { seed: 1, n: 3 })).toThrow(/is a part of a sampling with seed 0, here it is 1/);
  });

  it("leave what was there before under another name", () => {
    writeFileSync(at("c.jsonl"), "before\n");
    expect(started("c.jsonl").notes).toEqual([`${at("c.jsonl")}.old: what was in ${at("c.jsonl")} before`]);
    expect(readFileSync(at("c.jsonl.old"), "utf8")).toBe("before\n");
  });

  it("bind nobody before there are any: not a model that could not be opened", async () => {
    writeFileSync(at("e.jsonl"), "before\n");
    const sample = (model: string) =>
      failure(rejectSampleCommand, ["--model", model, "--task", "countdown", "--out", at("e.jsonl")]);
    for (const model of ["no-such-model", "no-other-one"]) expect(await sample(at(model))).toMatch(/^E_FILE_MISSING: /);
    expect(readdirSync(folder).filter((name) => name.startsWith("e.jsonl"))).toEqual(["e.jsonl"]);
    expect(readFileSync(at("e.jsonl"), "utf8")).toBe("before\n");
    started("f.jsonl");
    expect(open("f.jsonl", { seed: 1, n: 3 }).problems).toBe(0);
  });

  it("begin again where the note or the lines were lost", () => {
    started("d.jsonl").add(1, ["{}"]);
    writeFileSync(at("d.jsonl.progress.json"), "{");
    expect(open("d.jsonl").problems).toBe(0);
    started("d.jsonl").add(1, ["{}"]);
    rmSync(at("d.jsonl"));
    expect(open("d.jsonl").problems).toBe(0);
  });
});

const R1 = join(ROOT, "scripts/r1.mjs");

describe("the command line", () => {
  it("puts what a command lets through into words, and ends quietly where nobody reads on", () => {
    const run = (command: string) => spawnSync("bash", ["-c", command], { encoding: "utf8", cwd: ROOT });
    const inspect = `${process.execPath} ${R1} inspect ${MODEL}`;
    const piped = run(`${inspect} | true; echo "\${PIPESTATUS[0]}"`);
    expect(piped).toMatchObject({ stdout: "0\n", stderr: "" });
    if (!existsSync("/dev/full")) return;
    const full = run(`${inspect} > /dev/full`);
    expect(full.status).toBe(1);
    expect(full.stderr).toMatch(/^E_QUOTA: standard output: cannot be written: no space is left on the device/);
    expect(full.stderr.trim().split("\n")).toHaveLength(1);
  });

  it.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("saves a run that %s stops, and has the status %d", async (signal, status) => {
    const out = at(`run-${signal}`);
    const args = ["train", "sft", "--config", at("sft.json"), "--out", out, "--device", "software"];
    const { code, stderr } = await signalled([...args], /^step 2 /m, signal);
    expect(code, stderr).toBe(status);
    expect(stderr).toMatch(/saved .* at step \d+\nstopped at step \d+; --resume goes on/);
    expect(existsSync(join(out, "checkpoint", "SHA256SUMS"))).toBe(true);
    expect(existsSync(join(out, "run.lock"))).toBe(false);
  });

  it("stops sampling on a signal, and says what stays", async () => {
    // The one that the first signal left: a small one.
    const model = at("run-SIGINT/checkpoint");
    const args = ["reject-sample", "--model", model, "--task", "countdown", "--n", "64000", "--samples", "1"];
    const out = at("s.jsonl");
    const { code, stderr } = await signalled([...args, "--out", out, "--device", "software"], /64 of 64000/, "SIGINT");
    expect(code, stderr).toBe(130);
    expect(stderr).toMatch(/E_ABORTED: stopped after \d+ of 64000 problems; .* the same command goes on/);
  });
});

/** Sends a signal once the command's notes say that it is at work. */
function signalled(args: readonly string[], when: RegExp, signal: NodeJS.Signals) {
  return new Promise<{ readonly code: number | null; readonly stderr: string }>((resolve) => {
    const child = spawn(process.execPath, [R1, ...args], { cwd: ROOT, stdio: ["ignore", "ignore", "pipe"] });
    let stderr = "";
    let sent = false;
    child.stderr.on("data", (data) => {
      stderr += String(data);
      if (sent || !when.test(stderr)) return;
      sent = true;
      child.kill(signal);
    });
    child.on("close", (code) => resolve({ code, stderr }));
  });
}
