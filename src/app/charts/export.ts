import { writeEvent, writeRunHeader } from "../../train/record/write.ts";
import type { RunFiles } from "../../train/record/read.ts";
import { RUN_FILE, type RunLog } from "../../train/record/run-record.ts";
import type { RunData } from "../runs/run-data.ts";

/**
 * A run's metrics as CSV (RFC 4180): a row for each step, an evaluation's in the row of its step. Numbers are written so
 * that reading them gives the same number; where there is none, the cell is empty.
 */
export function metricsCsv(run: RunData): string {
  const rows = new Map<number, Map<string, number>>();
  for (const { step, metrics } of [...run.steps, ...run.evaluations]) {
    const row = rows.get(step) ?? new Map<string, number>();
    for (const [name, value] of Object.entries(metrics)) if (Number.isFinite(value)) row.set(name, value);
    rows.set(step, row);
  }
  const names = [...new Set([...rows.values()].flatMap((row) => [...row.keys()]))];
  const lines = [...rows]
    .toSorted(([a], [b]) => a - b)
    .map(([step, row]) => [String(step), ...names.map((name) => exact(row.get(name)))]);
  return [["step", ...names.map(cell)], ...lines].map((line) => `${line.join(",")}\r\n`).join("");
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

/** A run as the files of a record, which `parseRunRecord` and the command line read. */
export async function recordFiles(run: RunData): Promise<RunFiles> {
  const files: Record<typeof RUN_FILE | RunLog, string[]> = {
    [RUN_FILE]: [],
    "metrics.jsonl": [],
    "completions.jsonl": [],
    "warnings.jsonl": [],
  };
  const sink = {
    append: (file: RunLog, line: string): void => void files[file].push(`${line}\n`),
    write: (file: typeof RUN_FILE, text: string): void => void files[file].push(text),
  };
  await writeRunHeader(sink, run.header);
  // A log's steps may not go back; an evaluation follows the step it is of.
  const events = [...run.steps, ...run.evaluations, ...run.warnings];
  for (const event of events.toSorted((a, b) => a.step - b.step)) await writeEvent(sink, event);
  return {
    [RUN_FILE]: files[RUN_FILE].join(""),
    "metrics.jsonl": files["metrics.jsonl"].join(""),
    "completions.jsonl": files["completions.jsonl"].join(""),
    "warnings.jsonl": files["warnings.jsonl"].join(""),
  };
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
