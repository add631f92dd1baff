import { R1Error } from "../../errors.ts";
import { readJsonl } from "../../train/data/jsonl.ts";
import { mathEqual } from "../../train/grader/grade.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { readTextFile } from "../text-file.ts";

interface Pair {
  readonly gold: string;
  readonly pred: string;
}

function isPair(value: unknown): value is Pair {
  if (typeof value !== "object" || value === null) return false;
  return "gold" in value && typeof value.gold === "string" && "pred" in value && typeof value.pred === "string";
}

/**
 * Pairs of a JSON-lines file; empty lines are skipped.
 * @throws R1Error E_FILE_MISSING, E_FILE_READ, E_FORMAT; E_JSON naming file and line
 */
function readPairs(path: string): Pair[] {
  const where = (file: string, line: number): string => `${file}:${line}`;
  return readJsonl(readTextFile(path), path, { where }).map(({ line, value }) => {
    if (isPair(value)) return value;
    const message = `${where(path, line)}: expected {"gold": text, "pred": text}`;
    throw new R1Error("E_JSON", message, { file: path, line });
  });
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
