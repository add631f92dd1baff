import type { GrpoConfig } from "../config/grpo-config.ts";
import type { SftConfig } from "../config/sft-config.ts";
import type { CompletionRecord, Metrics, TrainWarningEvent } from "../events.ts";

/** The files of a record that grow by lines. */
export const RUN_LOGS = ["metrics.jsonl", "completions.jsonl", "warnings.jsonl"] as const;
export type RunLog = (typeof RUN_LOGS)[number];

export const RUN_FILE = "run.json";

/** Of this program, as a record names it. */
export const VERSION = "0.1.0";

interface RunFields {
  /** Of the program that trained. */
  readonly version: string;
  /** When the run began, ISO 8601. */
  readonly started: string;
  readonly seed: number;
  /** Updates that the whole run has; 0 for as many as its epochs make. */
  readonly max_steps: number;
  /** What it was trained on: the adapter's own description of itself. */
  readonly device: Readonly<Record<string, string | number | boolean>>;
}

/** What `run.json` says. */
export type RunHeader = RunFields &
  ({ readonly kind: "grpo"; readonly config: GrpoConfig } | { readonly kind: "sft"; readonly config: SftConfig });

/** A line of `metrics.jsonl`: `{"step": …, "reward": …}`. A value that was not finite is left out. */
export interface MetricsLine {
  readonly step: number;
  readonly metrics: Metrics;
}

/** Everything a run has written down, enough to show it again without a GPU. */
export interface RunRecord {
  readonly run: RunHeader;
  readonly metrics: readonly MetricsLine[];
  readonly completions: readonly CompletionRecord[];
  readonly warnings: readonly Omit<TrainWarningEvent, "type">[];
  /** Files whose last line was cut off, and was left out. */
  readonly truncated: readonly RunLog[];
}

/** Whether a line of metrics is an evaluation's, by TRL's prefix. */
export function isEvaluation(metrics: Metrics): boolean {
  const names = Object.keys(metrics);
  return names.length > 0 && names.every((name) => name.startsWith("eval_"));
}
