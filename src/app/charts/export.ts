import { writeEvent, writeRunHeader } from "../../train/record/write.ts";
import type { RunFiles } from "../../train/record/read.ts";
import { RUN_FILE, type RunLog } from "../../train/record/run-record.ts";
import type { RunData } from "../runs/run-data.ts";

/**
 * A run's metrics as CSV (RFC 4180): a row for each step, an evaluation's in the row of its step. Numbers are written so
 * that reading them gives the same number; where there is none, the cell is empty.
 */
export async function metricsCsv(run: RunData): Promise<string> {
  const pause = pauses();
  const rows = new Map<number, Map<string, number>>();
  const found = new Set<string>();
  for (const { step, metrics } of [...run.steps, ...run.evaluations]) {
    const row = rows.get(step) ?? new Map<string, number>();
    for (const [name, value] of Object.entries(metrics)) {
      if (!Number.isFinite(value)) continue;
      row.set(name, value);
      found.add(name);
    }
    rows.set(step, row);
    await pause();
  }
  const names = [...found];
  const lines = [`${["step", ...names.map(cell)].join(",")}\r\n`];
  for (const [step, row] of [...rows].toSorted(([a], [b]) => a - b)) {
    lines.push(`${[String(step), ...names.map((name) => exact(row.get(name)))].join(",")}\r\n`);
    await pause();
  }
  return lines.join("");
}

/** Of the main thread's time at a stretch, in milliseconds. */
const STRETCH_MS = 12;

/** Lets the page have its turn whenever a stretch of work has been long enough. */
function pauses(): () => Promise<void> | undefined {
  let began = performance.now();
  return () => {
    if (performance.now() - began < STRETCH_MS) return undefined;
    return new Promise((resolve) =>
      setTimeout(() => {
        began = performance.now();
        resolve();
      }),
    );
  };
}

function exact(value: number | undefined): string {
  if (value === undefined) return "";
  return Object.is(value, -0) ? "-0" : String(value);
}

/** A text as a cell. A spreadsheet takes what begins like a formula for one: a quote before it says that it is text. */
function cell(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

type RecordFile = typeof RUN_FILE | RunLog;

/** Text in larger parts: a file of a hundred megabytes has a million lines. */
const PART_CHARACTERS = 1 << 18;

/**
 * Writes a run as the files of a record, in parts; the page has its turn while they are written.
 * @param put takes a part of a file, after those before it
 */
export async function writeRecord(run: RunData, put: (file: RecordFile, part: string) => void): Promise<void> {
  const waiting = new Map<RecordFile, { readonly lines: string[]; characters: number }>();
  const flush = (file: RecordFile): void => {
    const lines = waiting.get(file)?.lines ?? [];
    waiting.delete(file);
    put(file, lines.join(""));
  };
  const add = (file: RecordFile, text: string): void => {
    const part = waiting.get(file) ?? { lines: [], characters: 0 };
    waiting.set(file, part);
    part.lines.push(text);
    part.characters += text.length;
    if (part.characters > PART_CHARACTERS) flush(file);
  };
  const sink = {
    append: (file: RunLog, line: string): void => add(file, `${line}\n`),
    write: (file: typeof RUN_FILE, text: string): void => add(file, text),
  };
  const pause = pauses();
  await writeRunHeader(sink, run.header);
  // A log's steps may not go back; an evaluation follows the step it is of.
  const events = [...run.steps, ...run.evaluations, ...run.warnings];
  for (const event of events.toSorted((a, b) => a.step - b.step)) {
    await writeEvent(sink, event);
    await pause();
  }
  for (const file of waiting.keys()) flush(file);
}

/** One of a record's logs as a file. */
export async function recordLog(run: RunData, wanted: RunLog): Promise<Blob> {
  const parts: Blob[] = [];
  await writeRecord(run, (file, part) => {
    // Each by itself: a browser takes seconds to encode a hundred megabytes at once.
    if (file === wanted) parts.push(new Blob([part]));
  });
  return new Blob(parts, { type: "application/jsonl" });
}

/** The same whole, as `parseRunRecord` and the command line read them. */
export async function recordFiles(run: RunData): Promise<RunFiles> {
  const files: Record<RecordFile, string> = {
    [RUN_FILE]: "",
    "metrics.jsonl": "",
    "completions.jsonl": "",
    "warnings.jsonl": "",
  };
  await writeRecord(run, (file, part) => void (files[file] += part));
  return files;
}

/** A name that every file system takes, from one that a reader gave. */
export function safeFileName(name: string): string {
  const safe = name
    .normalize("NFKC")
    .replace(/[^\p{L}\p{N}._-]+/gu, "-")
    .replace(/^[-.]+|[-.]+$/g, "");
  // Counted in bytes of UTF-8, of which 255 are the most; an extension has to fit too.
  let short = "";
  for (const character of safe) {
    if (new TextEncoder().encode(short + character).length > 120) break;
    short += character;
  }
  return short === "" ? "run" : short;
}

export interface ChartPicture {
  readonly title: string;
  /** Under the title: the run, the metric. */
  readonly subtitle: string;
  /** Drawn one over the other, from the left edge; each at its own size. */
  readonly layers: readonly HTMLCanvasElement[];
  readonly ink: string;
  readonly quiet: string;
  readonly background: string;
  readonly font: string;
}

/** A chart as a PNG with its title, at the resolution of the screen. */
export async function chartPng({ layers, ...picture }: ChartPicture): Promise<Blob> {
  const scale = devicePixelRatio;
  const [margin, head] = [16 * scale, 64 * scale];
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(320 * scale, ...layers.map(({ width }) => width)) + 2 * margin;
  canvas.height = Math.max(...layers.map(({ height }) => height)) + head + margin;
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser gives no canvas to draw on");
  context.fillStyle = picture.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const room = canvas.width - 2 * margin;
  context.fillStyle = picture.ink;
  context.font = `600 ${16 * scale}px ${picture.font}`;
  context.fillText(picture.title, margin, margin + 14 * scale, room);
  context.fillStyle = picture.quiet;
  context.font = `${12 * scale}px ${picture.font}`;
  context.fillText(picture.subtitle, margin, margin + 34 * scale, room);
  for (const layer of layers) context.drawImage(layer, margin, head);
  return new Promise((resolve, reject) =>
    canvas.toBlob(
      (blob) => (blob ? resolve(blob) : reject(new Error("the picture could not be encoded"))),
      "image/png",
    ),
  );
}
