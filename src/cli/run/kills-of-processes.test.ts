import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../../..");
const root = mkdtempSync(join(tmpdir(), "r1-killed-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Ends the process as a power cut would, at the first operation of a name. */
const INJECTED = `
import fs from "node:fs";
import { basename } from "node:path";
import { syncBuiltinESMExports } from "node:module";
const names = {
  renameSync: (from, to) => "rename " + basename(from) + ">" + basename(to),
  writeFileSync: (path) => "write " + basename(String(path)),
  appendFileSync: (path) => "append " + basename(String(path)),
  rmSync: (path) => "rm " + basename(path),
  linkSync: (from, to) => "link " + basename(to),
  mkdirSync: (path) => "mkdir " + basename(path),
  fsyncSync: () => "fsync",
};
for (const [call, nameOf] of Object.entries(names)) {
  const real = fs[call];
  fs[call] = (...args) => {
    if (nameOf(...args) === process.env.R1_KILL_AT) {
      if (call === "writeFileSync" || call === "appendFileSync") real(args[0], args[1].slice(0, args[1].length >> 1));
      process.kill(process.pid, "SIGKILL");
    }
    return real(...args);
  };
}
syncBuiltinESMExports();
`;

const CONFIG = {
  init: {
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 128,
  },
  task: "countdown",
  num_examples: 8,
  max_steps: 2,
  save_every: 1,
  per_device_train_batch_size: 1,
  max_length: 96,
  max_tokens_per_pack: 96,
  eval_every: 0,
};
const config = join(root, "config.json");
writeFileSync(config, JSON.stringify(CONFIG));

function train(out: string, killAt: string | undefined, ...flags: string[]) {
  const args = ["train", "sft", "--config", config, "--out", out, "--device", "software", ...flags];
  const injected = `data:text/javascript,${encodeURIComponent(INJECTED)}`;
  return spawnSync(process.execPath, ["--import", injected, join(ROOT, "scripts/r1.mjs"), ...args], {
    encoding: "utf8",
    cwd: ROOT,
    env: { ...process.env, ...(killAt === undefined ? {} : { R1_KILL_AT: killAt }) },
  });
}

function resultOf(out: string): unknown {
  const metrics = readFileSync(join(out, "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line): unknown => ({ ...(JSON.parse(line) as object), step_time: 0 }));
  return { metrics, sums: readFileSync(join(out, "checkpoint", "SHA256SUMS"), "utf8") };
}

const whole = join(root, "whole");

it.each([
  "rename run.json.new>run.json",
  "append metrics.jsonl",
  "rename checkpoint.new>checkpoint",
  "rename checkpoint>checkpoint.old",
])("a process killed twice at %s loses nothing", (killAt) => {
  if (killAt.startsWith("rename run")) expect(train(whole, undefined).status).toBe(0);
  const out = join(root, encodeURIComponent(killAt));
  expect(train(out, killAt).signal).toBe("SIGKILL");
  train(out, killAt, "--resume");
  const last = train(out, undefined, "--resume");
  expect(last.status, last.stderr).toBe(0);
  expect(last.stderr).toContain("which is gone; it was taken over");
  expect(resultOf(out)).toEqual(resultOf(whole));
});
