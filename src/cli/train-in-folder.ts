import type { GpuContext } from "../gpu/device.ts";
import { R1Error } from "../errors.ts";
import type { GrpoConfig } from "../train/config/grpo-config.ts";
import type { SftConfig } from "../train/config/sft-config.ts";
import type { TrainEvent } from "../train/events.ts";
import { VERSION } from "../train/record/run-record.ts";
import type { RunHeader } from "../train/record/run-record.ts";
import { writeEvent } from "../train/record/write.ts";
import type { RunControl, RunEnvironment } from "../train/run/environment.ts";
import { trainGrpo } from "../train/run/grpo.ts";
import { trainSft } from "../train/run/sft.ts";
import type { RunFolder } from "./run-folder.ts";

export type RunConfig =
  | { readonly kind: "sft"; readonly config: SftConfig }
  | { readonly kind: "grpo"; readonly config: GrpoConfig };

export interface FolderRun {
  readonly run: RunConfig;
  readonly folder: RunFolder;
  readonly how: "begin" | "overwrite" | "resume";
  /** Opens what the run needs, once the folder is known to be fit for it. */
  readonly open: () => Promise<Omit<RunEnvironment, "checkpoints">>;
  readonly signal?: AbortSignal;
  readonly onNote: (line: string) => void;
  readonly onEvent: (event: TrainEvent) => void;
  /** Stands in for the training itself. */
  readonly train?: (environment: RunEnvironment, run: RunConfig, control: RunControl) => AsyncIterable<TrainEvent>;
}

export interface FolderRunResult {
  readonly metrics: Readonly<Record<string, number>>;
  readonly environment: Omit<RunEnvironment, "checkpoints">;
}

/**
 * Trains in a folder, and writes every event down as it comes. A run that fails before its first event, for want of a model
 * say, changes nothing in the record.
 * @throws R1Error what the folder's `begin` and `resume` throw, E_OPTION for a run that is resumed otherwise than it began,
 *   and what training throws
 */
export async function trainInFolder(options: FolderRun): Promise<FolderRunResult> {
  const { run, folder, how, signal, onNote, onEvent } = options;
  const tell = (notes: readonly string[]): void => notes.forEach((line) => onNote(`warning: ${line}`));
  try {
    const check = (before: RunHeader): void => checkSameRun(before, run);
    const { resumes, notes } =
      how === "resume"
        ? await folder.resume(check, run.config.max_steps)
        : await folder.begin(check, how === "overwrite");
    tell(notes);
    const environment = await options.open();
    const control = { ...(signal ? { signal } : {}), resume: resumes };
    const all = { ...environment, checkpoints: folder };
    const events = (options.train ?? train)(all, run, control);
    let metrics: Record<string, number> = {};
    for await (const event of events) {
      tell(folder.started(() => headerOf(run, environment.context)));
      await writeEvent(folder, event);
      onEvent(event);
      if (event.type === "step" || event.type === "eval") metrics = { ...metrics, step: event.step, ...event.metrics };
    }
    return { metrics, environment };
  } finally {
    folder.release();
  }
}

function train(environment: RunEnvironment, run: RunConfig, control: RunControl): AsyncIterable<TrainEvent> {
  return run.kind === "sft" ? trainSft(environment, run.config, control) : trainGrpo(environment, run.config, control);
}

function headerOf(run: RunConfig, { adapter, features }: GpuContext): RunHeader {
  return {
    ...run,
    version: VERSION,
    started: new Date().toISOString(),
    seed: run.config.seed,
    max_steps: run.config.max_steps ?? 0,
    device: { ...adapter, subgroups: features.subgroups, f16: features.f16 },
  };
}

/** What a resumed run may have otherwise: its end, and what is written on the way. */
const FREE = new Set(["max_steps", "eval_every", "eval_prompts", "eval_samples", "save_every"]);

/**
 * A run goes on as it began.
 * @throws R1Error E_OPTION naming the first field that differs
 */
function checkSameRun(before: RunHeader, run: RunConfig): void {
  if (before.kind !== run.kind)
    throw new R1Error("E_OPTION", `the run that is there is ${before.kind}, not ${run.kind}`);
  const began = new Map<string, unknown>(Object.entries(before.config));
  for (const [name, value] of Object.entries(run.config)) {
    const was = began.get(name);
    if (FREE.has(name) || JSON.stringify(was) === JSON.stringify(value)) continue;
    throw new R1Error(
      "E_OPTION",
      `${name} is ${JSON.stringify(value)}, the run began with ${JSON.stringify(was)}; a resumed run keeps its configuration`,
      { option: name },
    );
  }
}
