import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { fetchRecordedRun, fetchRecordedRuns, parseRecordedRuns } from "./recorded-run.ts";

const RUNS = join(import.meta.dirname, "../../../public/runs");
const entry = {
  name: "one",
  title: { en: "One", ja: "一" },
  steps: 2,
  bytes: 9,
  logs: ["metrics.jsonl", "completions.jsonl"],
};

/** Serves texts by their address under the page. */
function serve(files: Readonly<Record<string, string>>): void {
  vi.stubGlobal("document", { baseURI: "https://page/r1/" });
  vi.stubGlobal("fetch", async (url: URL) => {
    const text = files[url.href.replace("https://page/r1/runs/", "")];
    return text === undefined ? new Response("", { status: 404 }) : new Response(text);
  });
}

afterEach(() => vi.unstubAllGlobals());

describe("the list of recorded runs", () => {
  it("names what comes with the page, with what it downloads", () => {
    for (const { name, logs, bytes } of parseRecordedRuns(readFileSync(join(RUNS, "index.json"), "utf8"))) {
      const files = ["run.json", ...logs].map((file) => join(RUNS, name, file));
      for (const file of files) expect(existsSync(file), file).toBe(true);
      expect(files.reduce((sum, file) => sum + statSync(file).size, 0)).toBe(bytes);
    }
  });

  it.each([
    ["{", /the list|JSON/],
    [JSON.stringify([{ ...entry, name: "../x" }]), /0\.name/],
    [JSON.stringify([{ ...entry, title: { en: "One" } }]), /0\.title\.ja/],
    [JSON.stringify([{ ...entry, logs: ["passwords"] }]), /0\.logs\.0/],
  ])("is refused with the field's name: %s", (json, names) => {
    expect(() => parseRecordedRuns(json)).toThrow(names);
    expect(() => parseRecordedRuns(json)).toThrow(expect.objectContaining({ code: "E_JSON" }));
  });
});

describe("a recorded run", () => {
  const header = {
    kind: "grpo",
    version: "0.1.0",
    started: "2026-11-24T12:00:00.000Z",
    seed: 0,
    max_steps: 2,
    device: {},
    config: parseGrpoConfig({ model: "m", task: "countdown" }),
  };
  const files = {
    "index.json": JSON.stringify([entry]),
    "one/run.json": JSON.stringify(header),
    "one/metrics.jsonl": '{"step":0,"eval_accuracy":0.5}\n{"step":1,"loss":0}\n{"step":2,"loss":1}\n',
    "one/completions.jsonl": "",
  };

  it("is read as a run that is marked so", async () => {
    serve(files);
    const [first] = await fetchRecordedRuns();
    if (!first) throw new Error("no record");
    const run = await fetchRecordedRun(first);
    expect(run).toMatchObject({ id: "recorded/one", isRecorded: true, header, warnings: [] });
    expect(run.steps.map(({ step }) => step)).toEqual([1, 2]);
    expect(run.evaluations).toHaveLength(1);
  });

  it("that is missing or malformed is refused by its file", async () => {
    serve({ ...files, "one/metrics.jsonl": '{"step":"x"}\n' });
    const [first] = await fetchRecordedRuns();
    if (!first) throw new Error("no record");
    await expect(fetchRecordedRun(first)).rejects.toThrow("metrics.jsonl: line 1: step");
    serve({});
    await expect(fetchRecordedRun(first)).rejects.toMatchObject({ code: "E_HTTP" });
  });
});
