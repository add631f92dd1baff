import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { FIXTURES } from "../testing-data.ts";

const ROOT = join(import.meta.dirname, "../..");
const BUILT_IN = join(ROOT, "public/models/tiny-random");
const QWEN = join(FIXTURES, "qwen2-tiny");

const folder = mkdtempSync(join(tmpdir(), "r1-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Run {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function r1(...args: string[]): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/r1.mjs"), ...args], {
    encoding: "utf8",
    cwd: ROOT,
  });
  return { status, stdout, stderr };
}

/** The one JSON document on standard output. */
function json(...args: string[]): Record<string, unknown> {
  const run = r1(...args, "--json", "--device", "software");
  expect(run.status, run.stderr).toBe(0);
  const parsed: unknown = JSON.parse(run.stdout);
  return parsed as Record<string, unknown>;
}

describe("r1", () => {
  it("inspect lists architecture, shapes and tensors", () => {
    const found = json("inspect", QWEN);
    expect(found).toMatchObject({
      format: "safetensors",
      architecture: "Qwen2ForCausalLM",
      spec: { hidden_size: 64, num_hidden_layers: 2, num_key_value_heads: 2, head_dim: 16, tie_word_embeddings: true },
    });
    expect(found["tensors"]).toContainEqual({
      name: "model.embed_tokens.weight",
      dtype: "F32",
      shape: [101, 64],
      bytes: 101 * 64 * 4,
    });
    expect(json("inspect", join(FIXTURES, "llama-tiny", "model.safetensors"))).toMatchObject({
      spec: { rope_scaling: { rope_type: "llama3", factor: 8, original_max_position_embeddings: 64 } },
    });
  });

  it("plan says what a model takes, and what would fit instead", () => {
    const found = json("plan", "--model", QWEN, "--context", "5000", "--limits", "default");
    expect(found).toMatchObject({
      quantization: "f32",
      context: 5000,
      batch: 1,
      kv: "f32",
      kv_cache_bytes: 5000 * 2 * 2 * 2 * 16 * 4,
      fits: false,
      reason: { kind: "context", bytes: 5000, limit: 4096 },
      offer: { quantization: "f32", context: 4096 },
      limits: { max_buffer_size: 2 ** 28, max_storage_buffer_binding_size: 2 ** 27 },
    });
    const half = json("plan", "--model", QWEN, "--context", "64", "--kv", "f16", "--limits", "default");
    expect(half).toMatchObject({ kv: "f16", kv_cache_bytes: 64 * 2 * 2 * 2 * 16 * 2, fits: true });
    const text = r1("plan", "--model", QWEN, "--context", "64", "--memory", "1000", "--device", "software");
    expect(text.stdout).toMatch(/does not fit: .* MiB are needed, 0\.0 MiB are there\nnothing smaller would fit/);
    expect(r1("plan", "--model", QWEN, "--context", "none")).toMatchObject({ status: 2 });
  });

  it("inspect looks at weights without config.json", () => {
    const file = join(folder, "alone.safetensors");
    copyFileSync(join(QWEN, "adapter_model.safetensors"), file);
    const found = json("inspect", file);
    expect(found).toMatchObject({ format: "safetensors", architecture: null, spec: null });
    expect(found["tensors"]).not.toHaveLength(0);
  });

  it("logits gives what the fixtures' expected.json gives", () => {
    const { cases } = JSON.parse(readFileSync(join(QWEN, "expected.json"), "utf8")) as {
      cases: Record<string, number[]>[];
    };
    const golden = cases.find(({ input_ids: ids }) => ids?.length === 7) ?? {};
    const found = json("logits", "--model", QWEN, "--ids", (golden["input_ids"] ?? []).join(","));
    expect(found["argmax_per_position"]).toEqual(golden["argmax_per_position"]);
    for (const name of ["last_logits", "token_logprobs", "entropy_per_position"]) {
      const [actual, expected] = [found[name] as number[], golden[name] ?? []];
      expect(actual.length).toBe(expected.length);
      expect(Math.max(...actual.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))))).toBeLessThan(1e-3);
    }
  });

  it("generate continues ids greedily, n times in one batch", () => {
    const found = json("generate", "--model", QWEN, "--ids", "5,6,7", "--greedy", "--max-new-tokens", "5", "--n", "2");
    const [first, second] = found["completions"] as Record<string, unknown>[];
    expect(first?.["ids"]).toHaveLength(5);
    expect(second).toEqual(first);
    expect(first).toMatchObject({ text: "", think: "", answer: "", finish_reason: "length" });
    expect(found["stats"]).toMatchObject({ prompt_tokens: 3, completion_tokens: 10 });
  });

  it("generate asks through the chat template, and thoughts and answers come apart", () => {
    const flags = ["--prompt", "1+1?", "--max-new-tokens", "12", "--think-max", "4"];
    const found = json("generate", "--model", BUILT_IN, ...flags);
    const [completion] = found["completions"] as { text: string; think: string; answer: string }[];
    expect(completion?.text).toBe(`${completion?.think}</think>${completion?.answer}`);
    expect(completion?.answer).not.toBe("");
    const again = json("generate", "--model", BUILT_IN, ...flags);
    expect(again["completions"]).toEqual(found["completions"]);
  });

  it("generate tells every event of the stream where asked to", () => {
    const flags = ["--prompt", "1+1?", "--max-new-tokens", "8", "--think-max", "4", "--events"];
    const { events, completions } = json("generate", "--model", BUILT_IN, ...flags) as {
      events: { type: string; text?: string; channel?: string }[];
      completions: { think: string }[];
    };
    expect(events[0]?.type).toBe("prefilled");
    expect(events.at(-1)?.type).toBe("done");
    const thought = events.filter(({ channel }) => channel === "think").map(({ text }) => text);
    expect(thought.join("")).toBe(completions[0]?.think);
  });

  it("tokenize, detokenize and template agree with each other", () => {
    const text = "Wait, <think>é日👋</think>";
    const tokenized = json("tokenize", "--model", BUILT_IN, "--text", text);
    const ids = tokenized["ids"] as number[];
    expect(tokenized["tokens"]).toHaveLength(ids.length);
    expect(json("detokenize", "--model", BUILT_IN, "--ids", ids.join(","))).toEqual({ text });
    const file = join(folder, "messages.json");
    writeFileSync(file, JSON.stringify([{ role: "user", content: "Hi" }]));
    const rendered = json("template", "--model", BUILT_IN, "--messages", file);
    expect(rendered["text"]).toBe("<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜><think>\n");
    expect(json("tokenize", "--model", BUILT_IN, "--text", String(rendered["text"]))["ids"]).toEqual(rendered["ids"]);
    const plain = json("template", "--model", BUILT_IN, "--messages", file, "--no-generation-prompt");
    expect(plain["text"]).toBe("<｜begin▁of▁sentence｜><｜User｜>Hi");
  });

  it("bench counts what a step costs", () => {
    const found = json("bench", "--model", QWEN, "--batch", "1,4", "--prompt", "16", "--new", "8");
    expect(found).toMatchObject({ submits_per_token: 1, readback_bytes_per_token: 16, train_tps: null });
    expect(found["dispatches_per_token"]).toBeLessThanOrEqual(2 * 8 + 4);
    expect(found["batches"]).toHaveLength(2);
    for (const name of ["prefill_tps", "decode_tps", "gpu_bytes"]) expect(found[name]).toBeGreaterThan(0);
  });

  it.each([
    [["inspect", "no/such/model"], /^E_FILE_MISSING: no\/such\/model/],
    [["inspect", join(FIXTURES, "grpo")], /^E_FILE_MISSING: .*model\.safetensors/],
    [["logits", "--model", join(FIXTURES, "grpo"), "--ids", "1"], /^E_FILE_MISSING: .*config\.json/],
    [["logits", "--model", QWEN, "--ids", "5,101"], /^E_TOKEN_RANGE: .*101/],
    [["logits", "--model", QWEN, "--ids", ""], /^E_PROMPT_EMPTY/],
    [["generate", "--model", QWEN, "--prompt", "Hi"], /^E_TEMPLATE_MISSING|^E_TOKENIZER_MISSING/],
    [["generate", "--model", QWEN, "--ids", "1", "--temperature=-1"], /^E_OPTION: .*temperature/],
    [["logits", "--model", QWEN, "--ids", "1", "--weights", "q3"], /^E_QUANTIZATION: .*q3/],
  ])("fails with status 1 and a coded line: %j", (args, expected) => {
    const { status, stdout, stderr } = r1(...args, "--json", "--device", "software");
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr.trim().split("\n").at(-1)).toMatch(expected);
  });

  it.each([[["frobnicate"]], [["logits", "--model", QWEN]], [["inspect"]], [["inspect", QWEN, "--colour"]], [[]]])(
    "answers wrong usage with status 2: %j",
    (args) => {
      expect(r1(...args).status).toBe(2);
    },
  );
});
