import { adapterOf, LORA_TARGET_MODULES, modulesOf } from "./adapter-draft.ts";
import type { Language } from "../i18n/texts.ts";
import type { RunData } from "../runs/run-data.ts";

const RECENT = 5;

/** Seconds of a step, over the last few; undefined before the first. */
export function secondsPerStep(run: RunData): number | undefined {
  const times = run.steps.slice(-RECENT).flatMap(({ metrics }) => metrics["step_time"] ?? []);
  return times.length === 0 ? undefined : times.reduce((sum, time) => sum + time, 0) / times.length;
}

/** 2.4 sec, 12 min */
export function formatDuration(seconds: number, language: Language): string {
  const unit = seconds < 100 ? "second" : seconds < 6000 ? "minute" : "hour";
  const value = seconds / { second: 1, minute: 60, hour: 3600 }[unit];
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit,
    unitDisplay: "short",
    maximumFractionDigits: value < 10 ? 1 : 0,
  }).format(value);
}

export function formatWhen(iso: string, language: Language): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** LoRA r 16, α 32 · q_proj, v_proj · q4; undefined where all weights are trained. */
export function adapterSummary(config: Readonly<Record<string, unknown>>): string | undefined {
  const adapter = adapterOf(config);
  if (!adapter) return undefined;
  const modules = modulesOf(adapter);
  const { weights } = config;
  return [
    `LoRA r ${String(adapter.r)}, α ${String(adapter.lora_alpha)}`,
    modules.length === LORA_TARGET_MODULES.length ? "all-linear" : modules.join(", "),
    ...(typeof weights === "string" ? [weights] : []),
  ].join(" · ");
}
