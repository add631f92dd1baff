import { memoryFolder } from "../../checkpoint/testing.ts";
import { testGpu } from "../../gpu/node/test-device.ts";
import { createLocalTemplateHost } from "../../text/template-host.ts";
import type { TrainEvent } from "../events.ts";
import type { RunEnvironment } from "./environment.ts";
import type { FileMap } from "./model-files.ts";
import { folderOf, freshModel } from "./model-files.ts";

/** A run's surroundings in memory: models by path, datasets by path, the last checkpoint. */
export interface MemoryEnvironment extends RunEnvironment {
  checkpoint: FileMap | undefined;
}

export async function memoryEnvironment(
  models: Readonly<Record<string, FileMap>> = {},
  datasets: Readonly<Record<string, string>> = {},
): Promise<MemoryEnvironment> {
  const environment: MemoryEnvironment = {
    context: await testGpu(),
    checkpoint: undefined,
    openFolder: (path) => folderOf(path, models[path] ?? new Map()),
    readDataset: (path) => Promise.resolve(datasets[path] ?? ""),
    templateHost: createLocalTemplateHost(),
    now: () => performance.now(),
    checkpoints: {
      save: (files) => {
        environment.checkpoint = files;
        return Promise.resolve("memory");
      },
      open: () => {
        const files = environment.checkpoint;
        return Promise.resolve(files && memoryFolder(Object.fromEntries(files)));
      },
    },
  };
  return environment;
}

export const TINY_INIT = {
  hidden_size: 16,
  intermediate_size: 24,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 8,
  max_position_embeddings: 96,
} as const;

/**
 * A run of `tinyModel` under the name "tiny". Fresh weights solve nothing, but mix languages more or less, which is a reward
 * with a spread.
 */
export const TINY_GRPO = {
  model: "tiny",
  task: "bilingual",
  seed: 5,
  max_steps: 4,
  per_step_prompts: 3,
  num_generations: 4,
  max_completion_length: 24,
  learning_rate: 5e-3,
  reward_funcs: ["language_consistency"],
  max_tokens_per_pack: 160,
  eval_every: 0,
  save_every: 0,
} as const;

/** A fresh model with the nano tokenizer, small enough for a test. */
export function tinyModel(seed = 0): FileMap {
  const init = {
    ...TINY_INIT,
    model_type: "qwen2",
    tie_word_embeddings: true,
    rope_theta: 10_000,
    rms_norm_eps: 1e-6,
    initializer_range: 0.02,
  } as const;
  return freshModel(init, seed);
}

export async function collectEvents(events: AsyncIterable<TrainEvent>, most = Infinity): Promise<TrainEvent[]> {
  const out: TrainEvent[] = [];
  for await (const event of events) {
    out.push(event);
    if (out.length >= most) break;
  }
  return out;
}

/** Events without what a clock decides. */
export function timeless(events: readonly TrainEvent[]): readonly TrainEvent[] {
  return events.map((event) =>
    event.type === "step"
      ? {
          ...event,
          metrics: Object.fromEntries(
            Object.entries(event.metrics).filter(([name]) => name !== "step_time" && !name.startsWith("throughput/")),
          ),
        }
      : event,
  );
}

/** The weights of a checkpoint as bytes. */
export function weightBytes(files: FileMap | undefined, file = "model.safetensors"): Uint8Array {
  const bytes = files?.get(file);
  if (!bytes) throw new RangeError(`no ${file} in the checkpoint`);
  return bytes;
}
