import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "r1-train-"));
afterAll(() => rmSync(folder, { recursive: true }));

function r1(...args: string[]) {
  return spawnSync(process.execPath, [join(ROOT, "scripts/r1.mjs"), ...args, "--device", "software"], {
    encoding: "utf8",
    cwd: ROOT,
  });
}

function config(name: string, value: object): string {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(value));
  return path;
}

const SFT = {
  init: {
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 128,
  },
  task: "countdown",
  num_examples: 32,
  max_steps: 2,
  per_device_train_batch_size: 4,
  max_length: 96,
  max_tokens_per_pack: 256,
  eval_every: 0,
};

const lines = (path: string): Record<string, unknown>[] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("r1 train", () => {
  it("writes a run that can be trained on, resumed and evaluated", () => {
    const out = join(folder, "sft");
    const sft = r1("train", "sft", "--config", config("sft.json", SFT), "--out", out, "--json");
    expect(sft.status, sft.stderr).toBe(0);
    expect(JSON.parse(sft.stdout)).toMatchObject({ step: 2, loss: expect.any(Number) as number });
    expect(JSON.parse(readFileSync(join(out, "run.json"), "utf8"))).toMatchObject({
      kind: "sft",
      seed: 0,
      config: { learning_rate: 2e-5, max_length: 96 },
      device: { description: expect.any(String) as string },
    });
    expect(lines(join(out, "metrics.jsonl")).map(({ step }) => step)).toEqual([1, 2]);

    const again = r1("train", "sft", "--config", config("sft.json", SFT), "--out", out);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain("--resume");

    const longer = config("longer.json", { ...SFT, max_steps: 3 });
    const resumed = r1("train", "sft", "--config", longer, "--out", out, "--resume", "--json");
    expect(resumed.status, resumed.stderr).toBe(0);
    expect(lines(join(out, "metrics.jsonl")).map(({ step }) => step)).toEqual([1, 2, 3]);

    const other = config("other.json", { ...SFT, seed: 1 });
    const refused = r1("train", "sft", "--config", other, "--out", out, "--resume");
    expect(refused.stderr).toContain("E_OPTION: seed is 1, the run began with 0");

    const grpo = config("grpo.json", {
      model: join(out, "checkpoint"),
      task: "bilingual",
      max_steps: 1,
      per_step_prompts: 2,
      num_generations: 2,
      max_completion_length: 8,
      max_tokens_per_pack: 256,
      reward_funcs: ["language_consistency"],
      eval_every: 0,
    });
    const planned = r1("train", "grpo", "--config", grpo, "--plan", "--json");
    expect(planned.status, planned.stderr).toBe(0);
    const plan = JSON.parse(planned.stdout) as Readonly<Record<string, number>>;
    expect(plan).toMatchObject({ weights: "f32", fits: true, reason: null, reference_bytes: 0 });
    expect(plan["seconds_per_step"]).toBeGreaterThan(0);
    const trained = r1("train", "grpo", "--config", grpo, "--out", join(folder, "grpo"), "--json");
    expect(trained.status, trained.stderr).toBe(0);
    const { gpu_peak_bytes: peak = 0 } = JSON.parse(trained.stdout) as Readonly<Record<string, number>>;
    expect(Math.abs(peak / (plan["peak_bytes"] ?? 0) - 1)).toBeLessThan(0.01);
    const completions = lines(join(folder, "grpo", "completions.jsonl"));
    expect(completions).toHaveLength(4);
    expect(Object.keys(completions[0] ?? {})).toEqual(expect.arrayContaining(["prompt", "completion", "advantage"]));
    expect(existsSync(join(folder, "grpo", "checkpoint", "tokenizer.json"))).toBe(true);

    const args = ["--task", "countdown", "--n", "4", "--samples", "2", "--max-new-tokens", "8", "--json"];
    const evaluated = r1("eval", "--model", join(folder, "grpo", "checkpoint"), ...args);
    expect(evaluated.status, evaluated.stderr).toBe(0);
    expect(JSON.parse(evaluated.stdout)).toEqual({
      accuracy: 0,
      pass_at_k: 0,
      cons_at_k: 0,
      format: 0,
      mean_length: expect.any(Number) as number,
      n: 4,
      samples: 2,
    });
  });

  it.each([
    [{ ...SFT, learning_rat: 1 }, 'E_OPTION: "learning_rat": found an unknown key; the nearest known is learning_rate'],
    [{ ...SFT, task: "chess" }, "E_OPTION"],
    [{ ...SFT, dataset: "x.jsonl" }, "E_OPTION"],
  ])("%# is refused in one line, before a folder is filled", (wrong, words) => {
    const out = join(folder, "refused");
    const run = r1("train", "sft", "--config", config("wrong.json", wrong), "--out", out);
    expect(run.status).toBe(1);
    expect(run.stderr).toContain(words);
    expect(existsSync(join(out, "run.json"))).toBe(false);
    rmSync(out, { recursive: true, force: true });
  });

  it("says in the log and in the record what rows it leaves out, and reads any program's lines", () => {
    const good = { prompt: "make 9 from 4 5", completion: "4 + 5</think><answer> 4 + 5</answer>" };
    const rows = [{ ...good, completion: "" }, good, { ...good, prompt: "make 9 from 4 5 ".repeat(40) }];
    const data = join(folder, "windows.jsonl");
    writeFileSync(data, `\uFEFF${rows.map((row) => JSON.stringify(row)).join("\r\n")}\r\n`);
    const { task: _, num_examples: __, ...rest } = SFT;
    const path = config("windows.json", { ...rest, dataset: "windows.jsonl", max_steps: 1 });
    // Notepad writes a mark before a configuration too.
    writeFileSync(path, `\uFEFF${readFileSync(path, "utf8")}`);
    const out = join(folder, "windows");
    const run = r1("train", "sft", "--config", path, "--out", out);
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain("warning at step 0: windows.jsonl: 2 of 3 rows are left out");
    expect(lines(join(out, "warnings.jsonl"))).toMatchObject([{ step: 0, code: "ROWS_DROPPED" }]);
    expect(lines(join(out, "metrics.jsonl"))[0]).toHaveProperty("loss", expect.any(Number));
    writeFileSync(data, Buffer.from(JSON.stringify(good), "utf16le"));
    const refused = r1("train", "sft", "--config", path, "--out", join(folder, "utf16"));
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^E_FORMAT: windows\.jsonl: found text in UTF-16; expected UTF-8$/m);
    expect(existsSync(join(folder, "utf16", "run.json"))).toBe(false);
  });

  it("without a kind is wrong usage", () => {
    expect(r1("train", "--config", "x", "--out", "y").status).toBe(2);
  });
});
