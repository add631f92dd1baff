import { systemCode, systemError } from "../checkpoint/node/system-error.ts";
import { isR1Error } from "../errors.ts";
import { Args, UsageError } from "./args.ts";
import type { Command } from "./command.ts";
import { benchCommand } from "./commands/bench.ts";
import { downloadCommand } from "./commands/download.ts";
import { evalCommand } from "./commands/eval.ts";
import { exportCommand } from "./commands/export.ts";
import { generateCommand } from "./commands/generate.ts";
import { gradeCommand } from "./commands/grade.ts";
import { planCommand } from "./commands/plan.ts";
import { rejectSampleCommand } from "./commands/reject-sample.ts";
import { trainCommand } from "./commands/train.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { logitsCommand } from "./commands/logits.ts";
import { signalStatus } from "./signals.ts";
import { detokenizeCommand, templateCommand, tokenizeCommand } from "./commands/text.ts";
import { visibleLines } from "../visible-text.ts";

const COMMANDS: readonly Command[] = [
  inspectCommand,
  planCommand,
  logitsCommand,
  tokenizeCommand,
  detokenizeCommand,
  templateCommand,
  generateCommand,
  gradeCommand,
  trainCommand,
  evalCommand,
  rejectSampleCommand,
  exportCommand,
  downloadCommand,
  benchCommand,
];

/** What these print is what a model or the reader wrote; all others print names, in which nothing may hide. */
const CONTENT: ReadonlySet<string> = new Set(["generate", "detokenize", "template"]);

function help(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const lines = COMMANDS.map(
    ({ name, usage, summary }) => `  ${name.padEnd(width)}  ${summary}\n  ${" ".repeat(width)}  ${usage}`,
  );
  return `npm run -s r1 -- <command> [options]

${lines.join("\n")}

Every command takes --json (one JSON document on standard output) and --device auto|software.
Exit status: 0 done, 1 failed, 2 wrong usage; 129, 130 or 143 stopped by SIGHUP, SIGINT (Ctrl-C) or SIGTERM.`;
}

/** Runs one command line. @returns the exit status */
export async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      process.stdout.write(`${help()}\n`);
      return name === undefined ? 2 : 0;
    }
    const command = COMMANDS.find((candidate) => candidate.name === name);
    if (!command) throw new UsageError(`unknown command ${name}; one of ${COMMANDS.map((c) => c.name).join(", ")}`);
    if (rest.includes("--help")) {
      process.stdout.write(`r1 ${command.name} ${command.usage}\n${command.summary}\n`);
      return 0;
    }
    const args = new Args(rest, command.options, command.maxPositionals);
    const { json, text } = await command.run(args);
    const lines = CONTENT.has(command.name) ? text : visibleLines(text);
    await print(args.flag("json") ? `${JSON.stringify(json)}\n` : `${lines}\n`);
    return signalStatus() ?? 0;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`usage: ${visibleLines(error.message)}\n`);
      return 2;
    }
    process.stderr.write(`${visibleLines(lineOf(error))}\n`);
    return (isR1Error(error) && error.code === "E_ABORTED" ? signalStatus() : undefined) ?? 1;
  }
}

/** One line with a code; for a fault of this program, with where it is. */
function lineOf(error: unknown): string {
  if (isR1Error(error)) return `${error.code}: ${error.message}`.replaceAll("\n", " ");
  // A file operation that nothing below has put into words.
  if (systemCode(error) !== undefined) return lineOf(systemError(pathOf(error), error, useOf(error)));
  return `E_INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function pathOf(error: unknown): string {
  return error instanceof Error && "path" in error && typeof error.path === "string" ? error.path : "a file";
}

/** A failed operation that only reading needs was reading; every other one may have been writing. */
function useOf(error: unknown): "read" | "written" {
  const call = error instanceof Error && "syscall" in error ? String(error.syscall) : "";
  return /^(read|scandir|l?stat|fstat|access|open|opendir|readlink|realpath)$/.test(call) ? "read" : "written";
}

/** A pipe takes large documents in pieces; exiting before it has drained would cut them off. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      // Whoever reads has read enough: `| head`.
      if (!error || systemCode(error) === "EPIPE") resolve();
      else reject(systemError("standard output", error, "written"));
    });
  });
}

// An error of a stream comes as an event, too, which would end the process. The result's own is told where it is written;
// notes nobody reads are not worth a run.
process.stdout.on("error", () => undefined);
process.stderr.on("error", () => undefined);

process.exit(await main(process.argv.slice(2)));
