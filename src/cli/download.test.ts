import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestHub } from "../checkpoint/hub/node/test-hub.ts";
import type { TestHub } from "../checkpoint/hub/node/test-hub.ts";

const ROOT = join(import.meta.dirname, "../..");
const TINY = join(ROOT, "public/models/tiny-random");
const files = Object.fromEntries(readdirSync(TINY).map((name) => [name, readFileSync(join(TINY, name))]));

const folder = mkdtempSync(join(tmpdir(), "r1-download-"));
let hub: TestHub;
beforeAll(async () => {
  hub = await startTestHub(files);
});
afterAll(async () => {
  await hub.close();
  rmSync(folder, { recursive: true });
});

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Not `spawnSync`: the hub answers in this process. */
function r1(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const run = spawn(process.execPath, [join(ROOT, "scripts/r1.mjs"), "download", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  });
  let [stdout, stderr] = ["", ""];
  run.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  run.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => run.on("close", (status) => resolve({ status, stdout, stderr })));
}

describe("r1 download", () => {
  it("makes a folder that can be opened, and tells what is in it", async () => {
    const out = join(folder, "tiny");
    const { status, stdout, stderr } = await r1(["owner/model", "--endpoint", hub.endpoint, "--out", out, "--json"]);
    expect(status, stderr).toBe(0);
    const found = JSON.parse(stdout) as { files: { path: string; bytes: number }[] };
    expect(found).toMatchObject({ path: out, repository: "owner/model", commit: "c".repeat(40) });
    expect(found.files.map(({ path }) => path)).toContain(join(out, "model.safetensors"));
    for (const { path, bytes } of found.files) {
      const name = path.slice(out.length + 1);
      expect(readFileSync(path).equals(files[name] ?? Buffer.alloc(0)), name).toBe(true);
      expect(bytes).toBe(files[name]?.length);
    }
    expect(stderr).toMatch(/downloading model\.safetensors: \d+%/);
  });

  it("takes one ONNX graph by its name, with the weights beside it", async () => {
    const bytes = Buffer.from("{}");
    const names = ["config.json", "onnx/model.onnx", "onnx/model_q4.onnx", "onnx/model_q4.onnx_data"];
    const onnx = await startTestHub(Object.fromEntries(names.map((name) => [name, bytes])));
    const out = join(folder, "onnx");
    const run = await r1(["owner/model:onnx/model_q4.onnx", "--endpoint", onnx.endpoint, "--out", out, "--json"]);
    await onnx.close();
    expect(run.status, run.stderr).toBe(0);
    const { path, files: found } = JSON.parse(run.stdout) as { path: string; files: { path: string }[] };
    expect(path).toBe(out);
    expect(found.map((file) => file.path)).toEqual(
      ["config.json", "onnx/model_q4.onnx", "onnx/model_q4.onnx_data"].map((name) => join(out, name)),
    );
    expect(readFileSync(join(out, "onnx/model_q4.onnx_data"))).toEqual(bytes);
  });

  it("takes endpoint and token from the environment, as Hugging Face's tools do", async () => {
    const out = join(folder, "again");
    const env = { HF_ENDPOINT: hub.endpoint, HF_TOKEN: "hf_x" };
    expect(await r1(["owner/model", "--out", out], env)).toMatchObject({ status: 0 });
    expect(hub.requests.at(-1)?.authorization).toBe("Bearer hf_x");
  });

  it.each([
    ["owner/other", 1, /^E_HUB_MISSING: /m],
    ["owner/model:x.gguf", 1, /^E_HUB_MISSING: .*x\.gguf/m],
    ["model", 1, /^E_HUB_NAME: "model": expected owner\/name/m],
  ])("refuses %s", async (name, status, says) => {
    const run = await r1([name, "--endpoint", hub.endpoint, "--out", join(folder, "no")]);
    expect(run).toMatchObject({ status, stdout: "" });
    expect(run.stderr).toMatch(says);
  });

  it("needs a name", async () => {
    expect(await r1([])).toMatchObject({ status: 2 });
  });
});
