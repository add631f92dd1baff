import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { installPackages, root } from "./install.mjs";
import { R1_QWEN_1_5B, writeRandomCheckpoint } from "./random-checkpoint.mjs";

/** Writes a checkpoint of random weights with the shapes of DeepSeek-R1-Distill-Qwen-1.5B: 3.5 GB, or fewer layers. */
const { values } = parseArgs({
  options: {
    out: { type: "string" },
    layers: { type: "string", default: String(R1_QWEN_1_5B.num_hidden_layers) },
    seed: { type: "string", default: "0" },
    tokenizer: { type: "string" },
  },
});
const [layers, seed] = [Number(values.layers), Number(values.seed)];
const usable = values.out !== undefined && Number.isInteger(layers) && layers > 0 && Number.isInteger(seed);
if (!usable) {
  console.error("usage: node scripts/make-random-checkpoint.mjs --out DIR [--layers 28] [--seed 0] [--tokenizer DIR]");
  process.exit(2);
}
if (values.tokenizer !== undefined && !existsSync(join(values.tokenizer, "tokenizer.json"))) {
  console.error(`${values.tokenizer}: no tokenizer.json`);
  process.exit(1);
}
const begun = performance.now();
const bytes = writeRandomCheckpoint({
  folder: values.out,
  config: { ...R1_QWEN_1_5B, num_hidden_layers: layers },
  seed,
  ...(values.tokenizer === undefined
    ? {}
    : { tokenizer: values.tokenizer, tokenizerConfig: await r1TokenizerConfig() }),
});
console.log(`${values.out}: ${bytes} bytes in ${((performance.now() - begun) / 1000).toFixed(1)} s`);

/** R1's special tokens and a chat template that behaves as R1's, for a tokenizer that comes without. */
async function r1TokenizerConfig() {
  installPackages();
  const { runnerImport } = await import("vite");
  const { module } = await runnerImport(join(root, "src/text/tiny-tokenizer.ts"), { configFile: false });
  return module.tinyTokenizerConfig();
}
