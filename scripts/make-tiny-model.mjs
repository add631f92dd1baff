import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { installPackages, root } from "./install.mjs";
import { TINY_MODEL, tinyModelFiles } from "./tiny-model.mjs";

/** Writes the built-in model's folder; the same bytes each time. */
installPackages();
// Vite is there only now; it runs the TypeScript that the tokenizer is written in.
const { runnerImport } = await import("vite");
const { module } = await runnerImport(join(root, "src/text/tiny-tokenizer.ts"), { configFile: false });
const files = tinyModelFiles({
  tokenizerJson: module.tinyTokenizerJson(),
  tokenizerConfig: module.tinyTokenizerConfig(),
});
const folder = join(root, "public/models", TINY_MODEL);
mkdirSync(folder, { recursive: true });
for (const [name, content] of Object.entries(files)) {
  writeFileSync(join(folder, name), content);
  console.log(`${name}: ${Buffer.byteLength(content)} bytes`);
}
