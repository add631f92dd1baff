import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./install.mjs";
import { listModels, modelCard, shipRecord } from "./model-card.mjs";

/**
 * Trains every model that comes with the project again, from nothing: `npm run train:models [-- name …]`. Each stage
 * reads its recipe from recipes/ (with `--recipes recipes/gpu`, those of larger models) and the stage before it; a stage that is already there in runs/ is kept, and one that
 * was cut off goes on where it stopped, so that the command can be given again.
 */

const runs = join(root, "runs");
const models = join(root, "public", "models");

/** In the paper's order. `parent` is the model that a stage goes on from. */
export const STAGES = [
  { name: "nano-base", kind: "sft" },
  { name: "nano-cold", kind: "sft", parent: "nano-base" },
  { name: "nano-r1", kind: "grpo", parent: "nano-cold", record: true },
  { name: "nano-distill", kind: "sft", teacher: "nano-r1" },
];

const TASK = "countdown";
const EVALUATION = ["--task", TASK, "--n", "512", "--samples", "4", "--seed", "7"];
const FREE = ["--n", "64", "--max-new-tokens", "64", "--temperature", "1", "--top-p", "1"];
const REJECTION = ["--task", TASK, "--n", "4000", "--samples", "4", "--seed", "11"];

function r1(args, { json = false } = {}) {
  const all = [join(root, "scripts", "r1.mjs"), ...args, ...(json ? ["--json"] : [])];
  const { status, stdout } = spawnSync(process.execPath, all, {
    cwd: root,
    stdio: ["ignore", json ? "pipe" : "inherit", "inherit"],
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`r1 ${args[0]} ended with status ${status}`);
  return json ? JSON.parse(stdout) : undefined;
}

const folderOf = (name) => join(runs, name);
const checkpointOf = (name) => join(folderOf(name), "checkpoint");

let recipes = join(root, "recipes");

/** A recipe with the paths of this machine's runs in it, written beside the run. */
function resolvedRecipe({ name, parent, teacher }) {
  const recipe = JSON.parse(readFileSync(join(recipes, `${name}.json`), "utf8"));
  if (parent) recipe.model = join("runs", parent, "checkpoint");
  if (teacher) recipe.dataset = join("runs", `${name}.jsonl`);
  const path = join(runs, `${name}.json`);
  writeFileSync(path, `${JSON.stringify(recipe, undefined, 2)}\n`);
  return path;
}

function isFinished({ name }) {
  const [recipe, state] = [join(runs, `${name}.json`), join(checkpointOf(name), "trainer_state.json")];
  if (!existsSync(recipe) || !existsSync(state)) return false;
  return JSON.parse(readFileSync(state, "utf8")).global_step >= JSON.parse(readFileSync(recipe, "utf8")).max_steps;
}

function train(stage) {
  const { name, kind, teacher } = stage;
  if (isFinished(stage)) return;
  if (teacher && !existsSync(join(runs, `${name}.jsonl`))) {
    r1(["reject-sample", "--model", checkpointOf(teacher), "--out", join("runs", `${name}.jsonl`), ...REJECTION]);
  }
  const resume = existsSync(checkpointOf(name)) ? ["--resume"] : [];
  if (resume.length === 0) rmSync(folderOf(name), { recursive: true, force: true });
  r1(["train", kind, "--config", resolvedRecipe(stage), "--out", join("runs", name), ...resume]);
}

const SHIPPED = [
  "config.json",
  "model.safetensors",
  "tokenizer.json",
  "tokenizer_config.json",
  "generation_config.json",
];
const MAX_BYTES = 4 * 2 ** 20;

function bytesOf(name) {
  const paths = SHIPPED.map((file) => join(models, name, file));
  return paths.every((path) => existsSync(path))
    ? paths.reduce((sum, path) => sum + statSync(path).size, 0)
    : undefined;
}

function ship(stage) {
  const { name, record } = stage;
  const target = join(models, name);
  mkdirSync(target, { recursive: true });
  for (const file of SHIPPED) copyFileSync(join(checkpointOf(name), file), join(target, file));
  const bytes = bytesOf(name);
  listModels(join(models, "index.json"), bytesOf);
  if (bytes > MAX_BYTES) throw new Error(`${name}: ${bytes} bytes; a model that is shipped has at most ${MAX_BYTES}`);
  const evaluation = r1(["eval", "--model", target, ...EVALUATION], { json: true });
  const { bos_token_id: bos } = JSON.parse(readFileSync(join(target, "config.json"), "utf8"));
  const { completions } = r1(["generate", "--model", target, "--ids", String(bos), ...FREE], { json: true });
  const { tensors } = r1(["inspect", target], { json: true });
  const parameters = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const card = { stage, run: folderOf(name), evaluation, parameters, samples: completions.map(({ text }) => text) };
  writeFileSync(join(target, "README.md"), modelCard(card));
  if (record) shipRecord(folderOf(name), join(root, "public", "runs", `${name}-grpo`));
  return evaluation;
}

function main(args) {
  const { values, positionals: wanted } = parseArgs({
    args,
    options: { recipes: { type: "string" } },
    allowPositionals: true,
  });
  if (values.recipes !== undefined) recipes = resolve(values.recipes);
  mkdirSync(runs, { recursive: true });
  const begun = Date.now();
  for (const stage of STAGES) {
    if (wanted.length > 0 && !wanted.includes(stage.name)) continue;
    const started = Date.now();
    train(stage);
    const seconds = (Date.now() - started) / 1000;
    const { accuracy, format, mean_length } = ship(stage);
    console.log(
      `${stage.name}: accuracy ${accuracy.toFixed(3)}, format ${format.toFixed(3)}, ${mean_length.toFixed(1)} tokens; ${Math.round(seconds)} s`,
    );
  }
  console.log(`done in ${Math.round((Date.now() - begun) / 60_000)} min`);
}

if (process.argv[1]?.endsWith("train-models.mjs")) main(process.argv.slice(2));
