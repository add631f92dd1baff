import type { Args } from "./args.ts";
import type { ParseArgsConfig } from "node:util";
import { visibleLines } from "../visible-text.ts";

/** One subcommand of `r1`. */
export interface Command {
  readonly name: string;
  /** Arguments as the help shows them. */
  readonly usage: string;
  readonly summary: string;
  readonly options: NonNullable<ParseArgsConfig["options"]>;
  readonly maxPositionals?: number;
  /**
   * Does the work.
   * @returns the document for `--json`, and the lines for people
   */
  run(args: Args): Promise<CommandOutput>;
}

export interface CommandOutput {
  readonly json: unknown;
  readonly text: string;
}

/** Progress and warnings go to standard error, so that standard output holds the result alone. */
export function note(line: string): void {
  process.stderr.write(`${visibleLines(line)}\n`);
}
