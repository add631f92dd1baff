import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { buildSafetensors } from "../../checkpoint/safetensors/write.ts";
import { readJson } from "../../checkpoint/source.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import * as v from "valibot";
import { R1Error } from "../../errors.ts";
import type { TrainableModel } from "../../model/training/trainable-model.ts";
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

const stateSchema = v.object({
  global_step: v.pipe(v.number(), v.integer(), v.minValue(0)),
  applied_steps: v.pipe(v.number(), v.integer(), v.minValue(0)),
  num_input_tokens_seen: v.pipe(v.number(), v.minValue(0)),
});

const STATE_FILE = "trainer_state.json";
const OPTIMIZER_FILE = "optimizer.safetensors";
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
  const parsed = v.safeParse(stateSchema, await readJson(folder, STATE_FILE));
  if (!parsed.success) {
    throw new R1Error("E_FORMAT", `${STATE_FILE}: not the state of a run (${parsed.issues[0].message})`);
  }
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
  const { global_step, applied_steps, num_input_tokens_seen } = parsed.output;
  trainable.appliedSteps = applied_steps;
  trainable.publish();
  return { step: global_step, appliedSteps: applied_steps, numTokens: num_input_tokens_seen };
}

/** The step that a checkpoint was taken after. */
export async function resumeStep(checkpoints: {
  readonly open: () => Promise<ModelFolder | undefined>;
}): Promise<number> {
  const folder = await checkpoints.open();
  const parsed = v.safeParse(stateSchema, folder && (await readJson(folder, STATE_FILE)));
  if (parsed.success) return parsed.output.global_step;
  throw new R1Error("E_FILE_MISSING", "there is no checkpoint to resume from; start the run without --resume", {
    file: STATE_FILE,
  });
}
