import * as v from "valibot";
import { parseJson } from "../../checkpoint/json.ts";
import { R1Error, isR1Error } from "../../errors.ts";
import { number, oneOf, text, whole } from "../config/fields.ts";
import { parseGrpoConfig } from "../config/grpo-config.ts";
import { show } from "../config/parse.ts";
import { parseSftConfig } from "../config/sft-config.ts";
import { MAX_STEPS, MAX_TOKENS } from "../config/shared.ts";
import { FINISH_REASONS, TRAIN_WARNING_CODES } from "../events.ts";
import { RUN_FILE, type RunHeader, type RunLog, type RunRecord } from "./run-record.ts";

// Far above what a run writes, far below what fills a page's memory.
const MAX_FILE_CHARACTERS = 1 << 28;
const MAX_LINES = 1_000_000;
const MAX_LINE_CHARACTERS = 1 << 24;
const MAX_TEXT = 1 << 20;
const MAX_NAMES = 256;

const step = whole(0, MAX_STEPS);
const prose = v.pipe(v.string("text"), v.maxLength(MAX_TEXT, `text of at most ${MAX_TEXT} characters`));
const finite = v.number("a number");
const name = text("a name");

/** Values by name; JSON's null is a value that there was not, or that was not finite. */
const values = v.pipe(
  v.record(name, v.nullable(finite), "an object of numbers"),
  v.check((record) => Object.keys(record).length <= MAX_NAMES, `at most ${MAX_NAMES} names`),
);

/** A number that JSON may have lost. */
const orNaN = v.pipe(
  v.nullable(finite),
  v.transform((value) => value ?? NaN),
);

const tokenSchema = v.object({
  id: whole(0, 1 << 24),
  text: prose,
  logp: orNaN,
  old_logp: orNaN,
  ref_logp: v.exactOptional(orNaN),
  ratio: orNaN,
  entropy: orNaN,
  sampling_logp: v.exactOptional(orNaN),
});

const completionSchema = v.object({
  step,
  group: whole(0, MAX_STEPS),
  prompt: prose,
  completion: prose,
  rewards: values,
  reward: v.nullable(finite),
  advantage: finite,
  length: whole(0, MAX_TOKENS),
  finish_reason: oneOf(FINISH_REASONS),
  kl: v.exactOptional(orNaN),
  clip_fraction: v.exactOptional(number(0, 1)),
  tokens: v.exactOptional(
    v.pipe(v.array(tokenSchema, "an array of tokens"), v.maxLength(MAX_TOKENS, `at most ${MAX_TOKENS} tokens`)),
  ),
});

const metricsSchema = v.pipe(
  v.intersect([v.looseObject({ step }), values]),
  v.transform(({ step: at, ...rest }) => ({
    step: at,
    metrics: Object.fromEntries(
      Object.entries(rest).flatMap(([key, value]) => (typeof value === "number" ? [[key, value] as const] : [])),
    ),
  })),
);

const warningSchema = v.object({ step, code: oneOf(TRAIN_WARNING_CODES), message: prose });

const headerSchema = v.object({
  kind: oneOf(["grpo", "sft"]),
  version: text("a version"),
  started: v.pipe(v.string("a time"), v.isoTimestamp("a time in ISO 8601")),
  seed: whole(0, 0xffff_ffff),
  max_steps: whole(0, MAX_STEPS),
  device: v.record(name, v.union([prose, finite, v.boolean()], "text, a number, true or false"), "an object"),
  config: v.unknown(),
});

/** A record's files as text; what is left out is empty. */
export type RunFiles = { readonly [RUN_FILE]: string } & Readonly<Partial<Record<RunLog, string>>>;

/**
 * Reads a record, which may come from anywhere. A last line that was cut off, as a run that was killed leaves it, is
 * left out and reported in `truncated`.
 * @throws R1Error E_JSON for a line that is not JSON, E_FORMAT for one that says something else than it should,
 *   naming file, line and field
 */
export function parseRunRecord(files: RunFiles): RunRecord {
  const run = parseRunHeader(files[RUN_FILE]);
  const metrics = readLog("metrics.jsonl", files["metrics.jsonl"], metricsSchema);
  const completions = readLog("completions.jsonl", files["completions.jsonl"], completionSchema);
  const warnings = readLog("warnings.jsonl", files["warnings.jsonl"], warningSchema);
  return {
    run,
    metrics: metrics.lines,
    completions: completions.lines,
    warnings: warnings.lines,
    truncated: [metrics, completions, warnings].flatMap(({ file, truncated }) => (truncated ? [file] : [])),
  };
}

/**
 * Reads `run.json`.
 * @throws R1Error E_JSON, E_FORMAT naming the field
 */
export function parseRunHeader(source: string): RunHeader {
  refuseLonger(source, MAX_FILE_CHARACTERS, RUN_FILE);
  const { kind, config, ...fields } = checked(headerSchema, parseJson(source, RUN_FILE), RUN_FILE);
  try {
    return kind === "grpo"
      ? { ...fields, kind, config: parseGrpoConfig(config) }
      : { ...fields, kind, config: parseSftConfig(config) };
  } catch (error) {
    if (!isR1Error(error)) throw error;
    throw new R1Error("E_FORMAT", `${RUN_FILE}: config: ${error.message}`, { ...error.details }, { cause: error });
  }
}

interface Log<Line> {
  readonly file: RunLog;
  readonly lines: readonly Line[];
  readonly truncated: boolean;
}

function readLog<Line extends { readonly step: number }>(
  file: RunLog,
  source: string | undefined,
  schema: v.GenericSchema<unknown, Line>,
): Log<Line> {
  refuseLonger(source ?? "", MAX_FILE_CHARACTERS, file);
  const all = source ?? "";
  // Where the power failed there are NUL characters in the place of what never came, before or without a line's end.
  const texts = (all.includes("\0") ? all.replace(/\0+\n?$/, "") : all).split("\n");
  const tail = texts.pop() ?? "";
  const isLost = all.length > 0 && /\0\n?$/.test(all.slice(-2));
  const isCut = tail !== "" && !isJson(tail);
  if (tail !== "" && !isCut) texts.push(tail);
  const truncated = isCut || isLost;
  if (texts.length > MAX_LINES) throw formatError(file, `found ${texts.length} lines; expected at most ${MAX_LINES}`);
  let before = 0;
  const lines = texts.map((line, i) => {
    const where = `${file}: line ${i + 1}`;
    refuseLonger(line, MAX_LINE_CHARACTERS, where);
    const parsed = checked(schema, parseJson(line, where), where);
    if (parsed.step < before) throw formatError(where, `step: found ${parsed.step}; expected at least ${before}`);
    before = parsed.step;
    return parsed;
  });
  return { file, lines, truncated };
}

function checked<Output>(schema: v.GenericSchema<unknown, Output>, json: unknown, where: string): Output {
  if (Array.isArray(json)) throw formatError(where, `found ${show(json)}; expected an object`);
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  const expected = issue.input === undefined ? "a value" : issue.message;
  throw formatError(where, `${field === null ? "" : `${field}: `}found ${show(issue.input)}; expected ${expected}`);
}

function refuseLonger(source: string, most: number, where: string): void {
  if (source.length <= most) return;
  throw formatError(where, `found ${source.length} characters; expected at most ${most}`);
}

function formatError(where: string, complaint: string): R1Error {
  return new R1Error("E_FORMAT", `${where}: ${complaint}`, { file: where.split(":")[0] ?? where });
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
