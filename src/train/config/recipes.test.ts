import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { parseGrpoConfig } from "./grpo-config.ts";
import { parseSftConfig } from "./sft-config.ts";

const FOLDER = join(import.meta.dirname, "../../../recipes");
const names = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));

it("there is every stage, for a processor and for a GPU", () => {
  expect(names).toHaveLength(8);
});

it.each(names)("%s is a configuration of its kind", (name) => {
  const json: unknown = JSON.parse(readFileSync(join(FOLDER, name), "utf8"));
  const config = basename(name) === "nano-r1.json" ? parseGrpoConfig(json) : parseSftConfig(json);
  expect(config).toMatchObject(json as object);
});
