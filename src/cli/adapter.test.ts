import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { FIXTURES } from "../testing-data.ts";

const ROOT = join(import.meta.dirname, "../..");
const QWEN = join(FIXTURES, "qwen2-tiny");
const folder = mkdtempSync(join(tmpdir(), "r1-adapter-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the fixture's adapter with fields of its configuration changed. */
function adapterWith(name: string, changes: object): string {
  const copy = join(folder, name);
  for (const file of ["adapter_config.json", "adapter_model.safetensors"]) cpSync(join(QWEN, file), join(copy, file));
  const config: object = JSON.parse(readFileSync(join(copy, "adapter_config.json"), "utf8"));
  writeFileSync(join(copy, "adapter_config.json"), JSON.stringify({ ...config, ...changes }));
  return copy;
}

/** A copy of the fixture's model whose last weight is NaN. */
function brokenModel(): string {
  const copy = join(folder, "broken");
  for (const file of ["config.json", "model.safetensors"]) cpSync(join(QWEN, file), join(copy, file));
  const bytes = readFileSync(join(copy, "model.safetensors"));
  bytes.writeFloatLE(Number.NaN, bytes.length - 4);
  writeFileSync(join(copy, "model.safetensors"), bytes);
  return copy;
}

const dora = adapterWith("dora", { use_dora: true });
const plain = adapterWith("plain", {});
const out = join(folder, "out");

it.each([
  [
    ["export", "--model", QWEN, "--adapter", dora, "--to", "safetensors", "--out", out],
    1,
    /^E_ADAPTER: adapter_config\.json: use_dora: found true; .*DoRA/,
  ],
  [["export", "--model", dora, "--to", "peft", "--out", out], 1, /^E_ADAPTER: adapter_config\.json: use_dora/],
  [["export", "--model", QWEN, "--adapter", plain, "--to", "peft", "--out", out], 2, /--adapter with --to peft/],
  [["logits", "--model", plain, "--ids", "1"], 1, /^E_FILE_MISSING: .*it is a LoRA adapter/],
  [
    ["generate", "--model", brokenModel(), "--ids", "1"],
    1,
    /^E_NOT_FINITE: tensor "model\.[\w.]+" \[.*\] holds NaN at \[/,
  ],
])("is refused by name: r1 %j", (args, status, expected) => {
  const run = spawnSync(process.execPath, [join(ROOT, "scripts/r1.mjs"), ...args, "--json"], {
    encoding: "utf8",
    cwd: ROOT,
  });
  expect(run.status, run.stderr).toBe(status);
  expect(run.stdout).toBe("");
  expect(run.stderr).toMatch(new RegExp(expected.source, "m"));
});
