import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { arithmetic, shipRecord } from "./model-card.mjs";

it("counts the results of a text and those that are right, chains included", () => {
  expect(arithmetic([" 9 * 3 = 27 - 4 = 23 ; 5 + 7 = 13 ;", "make 12 ; 30 - 18 = 12 ; ok", "nothing"])).toEqual({
    n: 4,
    right: 3,
  });
});

it("ships a record with fewer completions, and lists it with what it downloads", () => {
  const folder = mkdtempSync(join(tmpdir(), "records-"));
  try {
    const run = join(folder, "run");
    mkdirSync(run);
    writeFileSync(join(run, "run.json"), JSON.stringify({ config: { model: "runs/somewhere" } }));
    const steps = [1, 2, 3, 4, 5].map((step) => ({ step, loss: 0 }));
    const text = (rows) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
    writeFileSync(join(run, "metrics.jsonl"), text([{ step: 0, eval_accuracy: 0 }, ...steps]));
    writeFileSync(join(run, "completions.jsonl"), text(steps.map(({ step }) => ({ step, group: 0 }))));
    const target = join(folder, "public", "nano-r1-grpo");
    shipRecord(run, target);
    const read = (file) => readFileSync(join(target, file), "utf8");
    expect(JSON.parse(read("run.json")).config.model).toBe("public/models/nano-cold");
    expect(read("completions.jsonl").trim().split("\n")).toHaveLength(2);
    const [entry, ...others] = JSON.parse(readFileSync(join(folder, "public", "index.json"), "utf8"));
    expect(others).toEqual([]);
    const files = ["run.json", "metrics.jsonl", "completions.jsonl"];
    expect(entry).toMatchObject({
      name: "nano-r1-grpo",
      steps: 5,
      logs: files.slice(1),
      bytes: files.reduce((sum, file) => sum + read(file).length, 0),
    });
    expect(Object.keys(entry.title)).toEqual(["en", "ja"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
