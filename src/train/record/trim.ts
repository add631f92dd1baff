import * as v from "valibot";
import { parseJson } from "../../checkpoint/json.ts";
import { R1Error } from "../../errors.ts";
import { show } from "../config/parse.ts";
import { MAX_STEPS } from "../config/shared.ts";
import { whole } from "../config/fields.ts";

const stepSchema = v.looseObject({ step: whole(0, MAX_STEPS) });

const [NUL, LINE_FEED, CARRIAGE_RETURN] = [0, 10, 13];

/** A log cut back to a step. */
export interface TrimmedLog {
  /** What stays, whole lines. */
  readonly bytes: Uint8Array;
  /** Of the last line that stays; undefined where none does. */
  readonly lastStep: number | undefined;
  /** Whole lines of later steps, which are left out. */
  readonly later: number;
  /** What a process or a machine that went down left: half a line at the end, NUL bytes where data never came. */
  readonly isRepaired: boolean;
}

/**
 * The lines of a log up to and including a step, for a run that goes on from that step's checkpoint. A last line that was
 * cut off goes, and so do NUL bytes, as a file system leaves them when the power fails.
 * @param last −1 for a run that begins again: nothing stays
 * @throws R1Error E_JSON, E_FORMAT for a line that has no step and after which lines follow that are to stay
 */
export function trimLog(bytes: Uint8Array, last: number, file = "the record"): TrimmedLog {
  const kept: Uint8Array[] = [];
  let [later, isRepaired] = [0, false];
  let lastStep: number | undefined;
  let broken: R1Error | undefined;
  let number = 0;
  for (const line of linesOf(bytes)) {
    number++;
    const content = withoutNul(line);
    isRepaired ||= content.length < line.length;
    if (content.length === 0) continue;
    const where = `${file}: line ${number}`;
    const step = stepOf(content, where);
    if (step instanceof R1Error) {
      broken ??= step;
      continue;
    }
    if (step > last) {
      later++;
      continue;
    }
    // A line that counts follows: the broken one is not what a process left that went down.
    if (broken) throw broken;
    kept.push(content);
    lastStep = step;
  }
  return { bytes: joined(kept), lastStep, later, isRepaired: isRepaired || broken !== undefined };
}

/** The step of the last line that has one, whatever is broken after it. */
export function lastStepOf(bytes: Uint8Array): number | undefined {
  for (let end = bytes.length; end > 0;) {
    const begin = bytes.lastIndexOf(LINE_FEED, end - 2) + 1;
    const parsed = v.safeParse(stepSchema, jsonOf(withoutNul(bytes.subarray(begin, end))));
    if (parsed.success) return parsed.output.step;
    end = begin;
  }
  return undefined;
}

function jsonOf(line: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(line));
  } catch {
    return undefined;
  }
}

function* linesOf(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(LINE_FEED, at);
    yield bytes.subarray(at, end === -1 ? bytes.length : end);
    at = end === -1 ? bytes.length : end + 1;
  }
}

/** Without NUL bytes around it, which stand for data that never came, and without a carriage return. */
function withoutNul(line: Uint8Array): Uint8Array {
  let [from, to] = [0, line.length];
  while (from < to && line[from] === NUL) from++;
  while (to > from && (line[to - 1] === NUL || line[to - 1] === CARRIAGE_RETURN)) to--;
  return line.subarray(from, to);
}

/** A line's step; an error for what is no JSON, thrown for JSON that has no step. */
function stepOf(line: Uint8Array, where: string): number | R1Error {
  const text = new TextDecoder().decode(line);
  let json: unknown;
  try {
    json = parseJson(text, where);
  } catch (error) {
    if (error instanceof R1Error) return error;
    throw error;
  }
  const parsed = v.safeParse(stepSchema, json);
  if (parsed.success && !Array.isArray(json)) return parsed.output.step;
  const issue = parsed.success ? undefined : parsed.issues[0];
  const field = (issue && v.getDotPath(issue)) ?? undefined;
  const found = show(issue ? issue.input : json);
  const what =
    field === undefined || !issue
      ? `found ${found}; expected an object`
      : `${field}: found ${found}; expected ${issue.input === undefined ? "a value" : issue.message}`;
  throw new R1Error("E_FORMAT", `${where}: ${what}`, { file: where.split(":")[0] ?? where });
}

/** The lines, each with its line feed. */
function joined(lines: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  let at = 0;
  for (const line of lines) {
    all.set(line, at);
    all[at + line.length] = LINE_FEED;
    at += line.length + 1;
  }
  return all;
}
