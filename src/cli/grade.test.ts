import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "r1-grade-"));
afterAll(() => rmSync(folder, { recursive: true }));

function r1(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/r1.mjs"), "grade", ...args], {
    encoding: "utf8",
    cwd: ROOT,
  });
  return { status, stdout, stderr };
}

function fileOf(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.join("\n"));
  return path;
}

describe("r1 grade", () => {
  it("compares one pair", () => {
    expect(r1("--gold", "\\frac{1}{2}", "--answer", "so \\boxed{0.5}", "--json")).toEqual({
      status: 0,
      stdout: '{"equal":true}\n',
      stderr: "",
    });
    expect(r1("--gold", "1/2", "--answer", "0.6", "--json").stdout).toBe('{"equal":false}\n');
    expect(r1("--gold", "1/2", "--answer", "0.6").stdout).toBe("not equal\n");
    expect(r1("--gold=-5", "--answer", "-5").stdout).toBe("equal\n");
  });

  it("compares the lines of a file", () => {
    const path = fileOf("pairs.jsonl", [
      '{"gold": "$x=5$", "pred": "5"}',
      '{"gold": "(1,2)", "pred": "(2,1)"}',
      "",
      '{"gold": "no gold answer here", "pred": "5", "id": 3}',
      "",
    ]);
    expect(r1("--file", path, "--json").stdout).toBe('{"results":[true,false,false]}\n');
    expect(r1("--file", path).stdout).toBe("1 of 3 equal\n");
  });

  it("reads what Windows writes, and refuses UTF-16 by its name", () => {
    const path = fileOf("windows.jsonl", ['\uFEFF{"gold": "5", "pred": "5"}\r', "\r", '{"gold": "5", "pred": "6"}\r']);
    expect(r1("--file", path, "--json").stdout).toBe('{"results":[true,false]}\n');
    writeFileSync(path, Buffer.from('\uFEFF{"gold": "5", "pred": "5"}', "utf16le"));
    expect(r1("--file", path)).toMatchObject({ status: 1, stderr: expect.stringContaining("UTF-16") as string });
  });

  it.each([
    ["broken.jsonl", "{nonsense"],
    ["fields.jsonl", '{"gold": "5"}'],
    ["types.jsonl", '{"gold": 5, "pred": "5"}'],
  ])("names file and line of what is malformed in %s", (name, line) => {
    const path = fileOf(name, ['{"gold": "5", "pred": "5"}', line]);
    const { status, stdout, stderr } = r1("--file", path, "--json");
    expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    expect(stderr).toContain("E_JSON");
    expect(stderr).toContain(`${path}:2:`);
  });

  it("says what is missing", () => {
    expect(r1("--file", join(folder, "absent.jsonl"))).toMatchObject({ status: 1 });
    expect(r1("--file", join(folder, "absent.jsonl")).stderr).toContain("E_FILE_MISSING");
    expect(r1("--gold", "5")).toMatchObject({ status: 2 });
    expect(r1("--file", "x", "--gold", "5")).toMatchObject({ status: 2 });
  });
});
