import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { forbiddenImports } from "./import-rules.mjs";

const src = fileURLToPath(new URL("../src/", import.meta.url));
const files = readdirSync(src, { recursive: true })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /\.tsx?$/.test(file));
const found = files.flatMap((file) => forbiddenImports(file, readFileSync(src + file, "utf8")));
for (const sentence of found) console.error(sentence);
console.log(`${files.length} files, ${found.length} forbidden imports`);
process.exitCode = found.length > 0 ? 1 : 0;
