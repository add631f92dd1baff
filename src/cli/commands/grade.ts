import { readFileSync } from "node:fs";
import { R1Error } from "../../errors.ts";
import { mathEqual } from "../../train/grader/grade.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";

interface Pair {
  readonly gold: string;
  readonly pred: string;
}

function isPair(value: unknown): value is Pair {
  if (typeof value !== "object" || value === null) return false;
  return "gold" in value && typeof value.gold === "string" && "pred" in value && typeof value.pred === "string";
}

/** @throws R1Error E_JSON naming file and line */
function parsePair(line: string, path: string, number: number): Pair {
  const fail = (what: string, cause?: unknown): R1Error =>
    new R1Error("E_JSON", `${path}:${number}: ${what}`, { file: path, line: number }, { cause });
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw fail(cause instanceof Error ? cause.message : "not JSON", cause);
  }
  if (!isPair(json)) throw fail('expected {"gold": text, "pred": text}');
  return json;
}

/**
 * Pairs of a JSON-lines file; empty lines are skipped.
 * @throws R1Error E_FILE_MISSING, E_FILE_READ, E_JSON
 */
function readPairs(path: string): Pair[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    const message = missing ? `${path}: no such file` : `${path}: cannot be read: ${String(cause)}`;
    throw new R1Error(missing ? "E_FILE_MISSING" : "E_FILE_READ", message, { file: path }, { cause });
  }
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== "")
    .map(({ line, number }) => parsePair(line, path, number));
}

export const gradeCommand: Command = {
  name: "grade",
  usage: "(--gold G --answer A | --file pairs.jsonl)",
  summary: "does an answer equal the gold answer, as mathematics",
  options: { gold: { type: "string" }, answer: { type: "string" }, file: { type: "string" } },
  run(args) {
    const [gold, answer, file] = [args.text("gold"), args.text("answer"), args.text("file")];
    if (file !== undefined) {
      if (gold !== undefined || answer !== undefined) throw new UsageError("give either --file or --gold and --answer");
      const results = readPairs(file).map((pair) => mathEqual(pair.gold, pair.pred));
      const right = results.filter(Boolean).length;
      return Promise.resolve({ json: { results }, text: `${right} of ${results.length} equal` });
    }
    if (gold === undefined || answer === undefined) throw new UsageError("give --gold and --answer, or --file");
    const equal = mathEqual(gold, answer);
    return Promise.resolve({ json: { equal }, text: equal ? "equal" : "not equal" });
  },
};
