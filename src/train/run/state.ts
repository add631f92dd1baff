import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { buildSafetensors } from "../../checkpoint/safetensors/write.ts";
import { readJson } from "../../checkpoint/source.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import * as v from "valibot";
import { R1Error } from "../../errors.ts";
import type { TrainableModel } from "../../model/training/trainable-model.ts";
import { whole } from "../config/fields.ts";
import { show } from "../config/parse.ts";
import { MAX_STEPS } from "../config/shared.ts";
import type { LoraConfig } from "../config/shared.ts";
import type { FileMap } from "./model-files.ts";
import { jsonBytes, tensorFile } from "./model-files.ts";

/** Where a run stands between two steps; with weights and moments, all that its future depends on. */
export interface RunState {
  /** Updates done, skipped ones included. */
  readonly step: number;
  /** Updates that changed the weights: what AdamW's bias correction counts. */
  readonly appliedSteps: number;
  readonly numTokens: number;
}

const count = whole(0, Number.MAX_SAFE_INTEGER);
const stateSchema = v.object({
  global_step: whole(0, MAX_STEPS),
  applied_steps: count,
  num_input_tokens_seen: count,
});

/** The state of the run; written last, so that where it is, the files before it are. */
export const STATE_FILE = "trainer_state.json";
export const OPTIMIZER_FILE = "optimizer.safetensors";
const REFERENCE_FILE = "reference.safetensors";

/**
 * A checkpoint's files: the model in Hugging Face layout (or the adapter in PEFT's), the optimizer's moments as they
 * lie in memory, and the state of the run.
 */
export async function checkpointFiles(
  trainable: TrainableModel,
  kept: FileMap,
  state: RunState,
  lora: LoraConfig | null,
  baseModel: string,
): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const { pool } = trainable;
  const values = await pool.read(pool.values);
  const files = new Map(kept);
  if (lora) {
    files.set("adapter_model.safetensors", tensorFile(values));
    files.set("adapter_config.json", jsonBytes(adapterConfig(lora, baseModel)));
  } else files.set("model.safetensors", tensorFile(values));
  const moment = async (source: GPUBuffer) => {
    const data = await pool.readAll(source);
    return { dtype: "F32", shape: [data.length], data } as const;
  };
  files.set(
    OPTIMIZER_FILE,
    buildSafetensors({
      // Values too: the pool's own bytes need no second way of reading them back.
      values: await moment(pool.values),
      exp_avg: await moment(pool.first),
      exp_avg_sq: await moment(pool.second),
    }),
  );
  const reference = await trainable.readReference();
  if (reference) files.set(REFERENCE_FILE, tensorFile(reference));
  files.set(
    STATE_FILE,
    jsonBytes({
      global_step: state.step,
      applied_steps: state.appliedSteps,
      num_input_tokens_seen: state.numTokens,
    }),
  );
  return files;
}

/** PEFT's `adapter_config.json`. */
function adapterConfig({ r, lora_alpha, target_modules }: LoraConfig, baseModel: string): object {
  return {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel,
    r,
    lora_alpha,
    lora_dropout: 0,
    target_modules,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
  };
}

/**
 * Puts a checkpoint back, bit for bit.
 * @throws R1Error E_FILE_MISSING, E_JSON and E_FORMAT for a checkpoint that is not this model's
 */
export async function restoreCheckpoint(trainable: TrainableModel, folder: ModelFolder): Promise<RunState> {
  const state = parseRunState(await readJson(folder, STATE_FILE));
  const optimizer = await openCheckpoint(folder, { file: OPTIMIZER_FILE });
  const { pool } = trainable;
  const targets = { values: pool.values, exp_avg: pool.first, exp_avg_sq: pool.second };
  for (const [name, buffer] of Object.entries(targets)) {
    const bytes = await optimizer.read(name);
    if (bytes.byteLength !== pool.bytes) {
      throw new R1Error(
        "E_FORMAT",
        `${OPTIMIZER_FILE}: ${name} has ${bytes.byteLength} bytes; this configuration has ${pool.bytes}. Resume with the configuration that the run began with`,
      );
    }
    trainable.writePool(buffer, bytes);
  }
  if (trainable.hasReferenceWeights) {
    const reference = await openCheckpoint(folder, { file: REFERENCE_FILE });
    const tensors = new Map<string, Float32Array>();
    for (const name of reference.tensors.keys()) {
      tensors.set(name, new Float32Array((await reference.read(name)).buffer));
    }
    trainable.writeReference(tensors);
  }
  trainable.appliedSteps = state.appliedSteps;
  trainable.publish();
  return state;
}

/**
 * What a checkpoint's `trainer_state.json` says.
 * @throws R1Error E_FORMAT naming the field
 */
export function parseRunState(json: unknown): RunState {
  const parsed = v.safeParse(stateSchema, json);
  if (parsed.success) {
    const { global_step: step, applied_steps: appliedSteps, num_input_tokens_seen: numTokens } = parsed.output;
    return { step, appliedSteps, numTokens };
  }
  const [issue] = parsed.issues;
  const field = v.getDotPath(issue);
  const what = field === null ? "an object" : issue.message;
  throw new R1Error(
    "E_FORMAT",
    `${STATE_FILE}: ${field === null ? "" : `${field}: `}found ${show(issue.input)}; expected ${what}`,
    { file: STATE_FILE },
  );
}
