import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exportedBytes } from "../../checkpoint/export/testing.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { openProblems, taskProblems } from "../run/problems.ts";
import { parseTask } from "../tasks/tasks.ts";
import { trlFiles } from "./bundle.ts";
import { batchesOf } from "./grpo-yaml.ts";

const folder = mkdtempSync(join(tmpdir(), "r1-trl-"));
afterAll(() => rmSync(folder, { recursive: true }));
const hasPython = spawnSync("python3", ["--version"]).status === 0;
const hasYaml = spawnSync("python3", ["-c", "import yaml"]).status === 0;

/** Fields of TRL's GRPOConfig (with transformers' TrainingArguments), ModelConfig, and script arguments. */
const TRL_FIELDS = new Set(
  `model_name_or_path use_peft lora_r lora_alpha lora_dropout lora_target_modules reward_funcs reward_weights datasets
  output_dir seed max_steps per_device_train_batch_size gradient_accumulation_steps num_generations max_completion_length
  temperature top_p top_k learning_rate lr_scheduler_type warmup_steps adam_beta1 adam_beta2 adam_epsilon weight_decay
  max_grad_norm loss_type scale_rewards multi_objective_aggregation beta epsilon epsilon_high delta num_iterations
  importance_sampling_level mask_truncated_completions off_policy_mask_threshold sync_ref_model ref_model_mixup_alpha
  ref_model_sync_steps entropy_coef top_entropy_quantile shuffle_dataset logging_steps log_completions report_to
  save_strategy save_steps use_vllm`.split(/\s+/),
);

async function write(json: object, opening: string | null = "<think>\n"): Promise<Map<string, string>> {
  const config = parseGrpoConfig({ model: "m", task: "countdown", ...json });
  const problems = taskProblems(parseTask(config.task ?? ""), config.level, config.seed);
  const files = trlFiles({ config, problems, name: "nano", opening: opening ?? undefined });
  const texts = new Map<string, string>();
  for (const file of files) {
    const text = new TextDecoder().decode(await exportedBytes(file));
    texts.set(file.path, text);
    const path = join(folder, file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return texts;
}

function python(script: string): string {
  const { status, stdout, stderr } = spawnSync("python3", ["-c", script], { cwd: folder, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

const rows = (jsonl: string | undefined): Record<string, unknown>[] =>
  (jsonl ?? "")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("the folder for TRL", () => {
  it("has the run's prompts as messages with the columns that rewards read, in the run's order", async () => {
    const files = await write({ max_steps: 3, per_step_prompts: 4, eval_prompts: 5, seed: 9 });
    const train = rows(files.get("train.jsonl"));
    expect(train).toHaveLength(12);
    const { prompt, columns } = taskProblems(parseTask("countdown"), null, 9).training(2, 1, 4);
    expect(train[9]).toEqual({ prompt: [{ role: "user", content: prompt }], ...columns });
    expect(rows(files.get("heldout.jsonl"))).toHaveLength(5);
  });

  it("has conversations as they are, for a model with a chat template and without", async () => {
    const prompt = [
      { role: "system", content: "Answer in one line." },
      { role: "user", content: "make 30 from 6 4 6" },
    ];
    const config = parseGrpoConfig({ model: "m", dataset: "d.jsonl" });
    const data = `\uFEFF${JSON.stringify({ prompt, solution: "30" })}\r\n`;
    const problems = await openProblems(config, () => Promise.resolve(data));
    for (const opening of ["<think>\n", undefined]) {
      const file = trlFiles({ config, problems, name: "m", opening }).find(({ path }) => path === "train.jsonl");
      const text = new TextDecoder().decode(await exportedBytes(file ?? expect.fail()));
      expect(rows(text)).toEqual([{ prompt, solution: "30" }]);
    }
  });

  it("has prompts as text for a model without a chat template, and no columns but those", async () => {
    const files = await write({ task: "bilingual", max_steps: 1 }, null);
    const [first] = rows(files.get("train.jsonl"));
    expect(Object.keys(first ?? {}).toSorted()).toEqual(["language", "prompt", "solution"]);
    expect(typeof first?.["prompt"]).toBe("string");
  });

  it("keeps all generations of a prompt in one pass, and a step's completions in number", () => {
    for (const [prompts, generations] of [
      [24, 8],
      [7, 4],
      [1, 100],
    ]) {
      const config = parseGrpoConfig({
        model: "m",
        task: "countdown",
        per_step_prompts: prompts,
        num_generations: generations,
      });
      const { perDevice, accumulation } = batchesOf(config);
      expect(perDevice % config.num_generations).toBe(0);
      expect(perDevice * accumulation).toBe(config.per_step_prompts * config.num_generations);
    }
  });

  it.skipIf(!hasYaml)("writes TRL's names and the run's values as YAML (skipped without Python's yaml)", async () => {
    const written = async (change: object): Promise<Record<string, unknown>> => {
      await write({
        learning_rate: 1e-6,
        reward_funcs: ["accuracy", "length"],
        reward_weights: [1, 0.25],
        delta: 2,
        beta: 0.01,
        entropy_coef: 0.001,
        ...change,
      });
      const script = `import json, yaml; print(json.dumps(yaml.safe_load(open("grpo_config.yaml"))))`;
      const yaml = JSON.parse(python(script)) as Record<string, unknown>;
      for (const name of Object.keys(yaml)) expect(TRL_FIELDS, name).toContain(name);
      return yaml;
    };
    // An adapter's reference is the model without it, which is never renewed.
    const adapted = await written({ lora: { r: 4 } });
    expect(adapted).toMatchObject({ use_peft: true, lora_r: 4 });
    expect(adapted).not.toHaveProperty("ref_model_sync_steps");
    expect(await written({ sync_ref_model: true })).toMatchObject({
      learning_rate: 1e-6,
      reward_funcs: ["rewards.accuracy", "rewards.length"],
      reward_weights: [1, 0.25],
      delta: 2,
      ref_model_sync_steps: 512,
      entropy_coef: 0.001,
      datasets: [{ path: "json", data_files: "train.jsonl" }],
      scale_rewards: "group",
      save_steps: 50,
    });
  });

  it.skipIf(!hasPython)(
    "is Python that compiles, and whose verl and OpenRLHF rewards agree (skipped without python3)",
    async () => {
      await write({ reward_funcs: ["accuracy", "format"], reward_weights: [1, 0.5] });
      const heldout = rows((await write({})).get("heldout.jsonl"))[0] ?? {};
      await write({ reward_funcs: ["accuracy", "format"], reward_weights: [1, 0.5], task: "addition" });
      const scripts = ["train.py", "verl/to_parquet.py", "openrlhf/to_labels.py", "openrlhf/reward.py"];
      const found = python(`
import runpy, json
for file in ${JSON.stringify(scripts)}:
    compile(open(file).read(), file, "exec")
verl = runpy.run_path("verl/reward.py")
verl["score"].__globals__["tokenizer"] = lambda: lambda text, **_: {"input_ids": [ord(c) for c in text]}
label = json.dumps({"solution": "3 4"})
print(verl["compute_score"]("x", "7 + 6 = 13 ;</think><answer> 3 4</answer>", label))
runpy.run_path("openrlhf/to_labels.py")
print(json.loads(open("openrlhf/train.jsonl").readline())["label"])
`).split("\n");
      expect(found[0]).toBe("1.5");
      expect(Object.keys(JSON.parse(found[1] ?? "") as object)).toEqual(["solution"]);
      expect(heldout).toHaveProperty("numbers");
    },
  );

  it("writes launch files whose lines bash reads", async () => {
    await write({ lora: { r: 8 }, beta: 0.1 });
    for (const file of ["verl/run.sh", "openrlhf/run.sh"]) {
      const { status, stderr } = spawnSync("bash", ["-n", file], { cwd: folder, encoding: "utf8" });
      expect(status, stderr).toBe(0);
    }
  });
});
