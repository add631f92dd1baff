import { R1Error } from "../../errors.ts";
import { mostTokens, namedLines } from "./data-warnings.ts";
import type { DataWarning } from "./data-warnings.ts";
import { leavesThoughtOpen, partsOf, wholeDemonstration } from "./demonstration.ts";
import type { Demonstrated, DemonstrationWriter } from "./demonstration.ts";
import { isScored } from "./example.ts";
import type { Example } from "./example.ts";

/** How a row fits into a run. */
interface Fit {
  /** Why no token of it would be scored. */
  readonly drop?: "empty" | "prompt";
  /** Its end is cut off. */
  readonly isCut?: boolean;
}

function fitOf(writer: DemonstrationWriter, row: Demonstrated): Fit {
  const { prompts, maxLength, completionOnly } = writer;
  if (completionOnly && partsOf(writer, row).text.trim() === "") return { drop: "empty" };
  const promptMost = typeof row.prompt === "string" ? mostTokens(row.prompt) : row.prompt.ids.length;
  const most = promptMost + prompts.around + mostTokens(row.completion);
  if (most <= maxLength) return {};
  const { ids, promptLength } = wholeDemonstration(writer, row);
  if (completionOnly && promptLength >= maxLength) return { drop: "prompt" };
  return { isCut: ids.length > maxLength };
}

const REASONS = {
  empty: () => "the completion is empty",
  prompt: (says: string) => `the prompt alone fills ${says}`,
} as const;

/**
 * Looks at every row before the first step.
 * @returns the rows that have something to teach, and what to say of the others
 * @throws R1Error E_DATASET where there is none
 */
export function checkRows(
  rows: readonly Demonstrated[],
  writer: DemonstrationWriter,
  file: string,
): { readonly kept: readonly Demonstrated[]; readonly warnings: readonly DataWarning[] } {
  const { maxLengthSays: says } = writer;
  const dropped = { empty: [] as number[], prompt: [] as number[] };
  const cut: number[] = [];
  const open: number[] = [];
  const kept = rows.filter((row) => {
    const { drop, isCut = false } = fitOf(writer, row);
    if (drop) {
      dropped[drop].push(row.line);
      return false;
    }
    if (isCut) cut.push(row.line);
    if (leavesThoughtOpen(writer, row)) open.push(row.line);
    return true;
  });
  const why = (["prompt", "empty"] as const).flatMap((reason) => {
    const lines = dropped[reason];
    return lines.length === 0 ? [] : [`${REASONS[reason](says)} in ${lines.length} (${namedLines(lines)})`];
  });
  if (kept.length === 0) {
    throw new R1Error(
      "E_DATASET",
      `${file}: none of its ${rows.length} rows has a token to be scored: ${why.join("; ")}`,
      {
        file,
        rows: rows.length,
      },
    );
  }
  const warnings: DataWarning[] = [];
  if (why.length > 0) {
    const count = rows.length - kept.length;
    const message = `${file}: ${count} of ${rows.length} rows are left out, since no token of them would be scored: ${why.join("; ")}`;
    warnings.push({ code: "ROWS_DROPPED", message });
  }
  if (cut.length > 0) {
    const message = `${file}: ${cut.length} of ${rows.length} rows are longer than ${says}, and are learnt without their end (${namedLines(cut)})`;
    warnings.push({ code: "ROWS_TRUNCATED", message });
  }
  if (open.length > 0) {
    const message = `${file}: the chat template opens a thought that ${open.length} of ${rows.length} completions never end with </think> (${namedLines(open)})`;
    warnings.push({ code: "THOUGHT_NOT_CLOSED", message });
  }
  return { kept, warnings };
}

/** Of a task as many examples are looked at as tell whether they fit: it has no end. */
const LOOKED_AT = 64;

/**
 * @param at the examples, cut to `max_length`
 * @throws R1Error E_OPTION for a `max_length` that leaves no token to be scored
 */
export function checkTaskExamples(
  task: string,
  size: number,
  at: (index: number) => Example,
  { eos, maxLength, maxLengthSays: says }: DemonstrationWriter,
): readonly DataWarning[] {
  const examples = Array.from({ length: Math.min(size, LOOKED_AT) }, (_, i) => at(i));
  const unscored = examples.filter((example) => !isScored(example)).length;
  if (examples.length > 0 && unscored === examples.length) {
    throw new R1Error(
      "E_OPTION",
      `max_length: the prompts of task ${task} fill ${says}, and no token is left to be scored`,
      { field: "max_length" },
    );
  }
  const cut = examples.filter(({ ids }) => ids.length === maxLength && ids.at(-1) !== eos).length - unscored;
  const first = `of the first ${examples.length} examples of task ${task}`;
  const warnings: DataWarning[] = [];
  if (unscored > 0) {
    const message = `${first}, ${unscored} have no token to be scored, since the prompt alone fills ${says}; such examples are left out`;
    warnings.push({ code: "ROWS_DROPPED", message });
  }
  if (cut > 0) {
    const message = `${first}, ${cut} are longer than ${says}; such examples are learnt without their end`;
    warnings.push({ code: "ROWS_TRUNCATED", message });
  }
  return warnings;
}
