import type { GemmShape } from "../../kernels/gemm/source.ts";
import type { MemoryBudget } from "../../model/memory-plan.ts";
import type { WeightChoice } from "../../model/model-formats.ts";
import type { ModelSpec } from "../../model/spec.ts";
import type { TrainingSizes } from "../../model/training/buffers.ts";
import { planTrainingMemory, trainingShortfall } from "../../model/training/memory-plan.ts";
import type { TrainingPlanBytes, TrainingRequest, TrainingShortfall } from "../../model/training/memory-plan.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import { LORA_TARGET_MODULES } from "../config/shared.ts";
import { rolloutSessionSizes } from "./rollout.ts";
import type { SamplerSizes } from "./rollout.ts";
import { trainingSizes } from "./setup.ts";

/** What a run asks for in one step. */
export function grpoSizes(
  config: GrpoConfig,
  spec: ModelSpec,
): { readonly training: TrainingSizes; readonly sampler: SamplerSizes } {
  const room = spec.maxPositions - config.max_completion_length;
  const promptTokens = Math.max(1, Math.min(room, config.max_prompt_length));
  const sequences = config.per_step_prompts * config.num_generations;
  // A pack larger than all of a step's sequences would stay empty.
  const most = sequences * (promptTokens + config.max_completion_length);
  return {
    training: trainingSizes(spec, Math.min(config.max_tokens_per_pack, most), config.gradient_checkpointing),
    sampler: {
      sequences,
      generations: config.num_generations,
      promptTokens,
      maxNewTokens: config.max_completion_length,
    },
  };
}

/** @param format of the weights on the device, which the files decide where the configuration does not */
export function grpoRequest(config: GrpoConfig, spec: ModelSpec, format: WeightChoice): TrainingRequest {
  const { training, sampler } = grpoSizes(config, spec);
  return {
    format: config.lora ? format : "f32",
    lora: config.lora,
    reference: config.beta === 0 ? "none" : config.lora ? "adapter-off" : "copy",
    sizes: training,
    session: rolloutSessionSizes(sampler),
  };
}

/** Fields that make a run smaller, and their new values. */
export type SmallerRun = Partial<
  Pick<
    GrpoConfig,
    | "per_step_prompts"
    | "num_generations"
    | "max_completion_length"
    | "max_tokens_per_pack"
    | "gradient_checkpointing"
    | "lora"
    | "weights"
    | "sync_ref_model"
  >
>;

/** Whether a run fits a device, and if it does not, why, and the largest that does. */
export type GrpoVerdict = { readonly plan: TrainingPlanBytes } & (
  | { readonly fits: true }
  | {
      readonly fits: false;
      readonly reason: TrainingShortfall;
      readonly offer: { readonly changes: SmallerRun; readonly plan: TrainingPlanBytes } | undefined;
    }
);

/** What a run is held against: the device's limits, and how its products are computed. */
export interface TrainingDevice {
  readonly budget: MemoryBudget;
  readonly shape: GemmShape;
}

/** @throws R1Error E_LIMIT, E_OPTION as {@link planTrainingMemory} */
export function judgeGrpo(
  spec: ModelSpec,
  config: GrpoConfig,
  format: WeightChoice,
  device: TrainingDevice,
): GrpoVerdict {
  const { plan, reason } = measure(spec, config, format, device);
  if (!reason) return { plan, fits: true };
  const fitting = (changes: SmallerRun) => {
    const run = { ...config, ...changes };
    // A pack holds a prompt and its completion, or the configuration would be refused.
    const { max_tokens_per_pack: given, max_prompt_length, max_completion_length } = run;
    if (changes.max_tokens_per_pack !== undefined && given < max_prompt_length + max_completion_length)
      return undefined;
    const smaller = measure(spec, run, changes.weights ?? format, device);
    return smaller.reason ? undefined : { changes, plan: smaller.plan };
  };
  let changes = firstChanges(spec, config, reason);
  for (const change of smallerRuns({ ...config, ...changes })) {
    changes = { ...changes, ...change };
    if (!fitting(changes)) continue;
    // What was made smaller before may not have been what was in the way.
    // What is learned from comes back first.
    for (const name of Object.keys(changes).toReversed()) {
      const without = Object.fromEntries(Object.entries(changes).filter(([other]) => other !== name));
      if (!BOUND.has(name) && fitting(without)) changes = without;
    }
    return { plan, fits: false, reason, offer: fitting(changes) };
  }
  return { plan, fits: false, reason, offer: undefined };
}

/** Changes that stand or fall together. */
const BOUND: ReadonlySet<string> = new Set(["weights", "sync_ref_model"]);

/** What no smaller step would help with: more weights than can be trained, and positions that the model does not have. */
function firstChanges({ maxPositions }: ModelSpec, config: GrpoConfig, { kind }: TrainingShortfall): SmallerRun {
  if (kind === "parameters-buffer" && !config.lora) return ADAPTER_INSTEAD;
  if (kind !== "context") return {};
  const prompt = Math.min(config.max_prompt_length, Math.floor(maxPositions / 2));
  return { max_completion_length: Math.min(config.max_completion_length, maxPositions - prompt) };
}

const ADAPTER_INSTEAD = {
  lora: { r: 16, lora_alpha: 32, target_modules: [...LORA_TARGET_MODULES], lora_dropout: 0 },
  weights: "q4",
  sync_ref_model: false,
} as const satisfies SmallerRun;

function measure(spec: ModelSpec, config: GrpoConfig, format: WeightChoice, { budget, shape }: TrainingDevice) {
  const request = grpoRequest(config, spec, format);
  const plan = planTrainingMemory(spec, request, budget, shape);
  return { plan, reason: trainingShortfall(spec, request, plan, shape, budget) };
}

/** Below this a completion cannot hold a thought and an answer. */
const LEAST_LENGTH = 32;
const LEAST_RANK = 4;

/** Each a little smaller than the one before it, first where least is lost: what only costs time, then what is learned from. */
function* smallerRuns(config: GrpoConfig): Generator<SmallerRun> {
  const { lora, max_prompt_length } = config;
  let { per_step_prompts, num_generations, max_completion_length, max_tokens_per_pack } = config;
  yield {};
  if (config.gradient_checkpointing !== true) yield { gradient_checkpointing: true };
  const sequence = (): number => max_prompt_length + max_completion_length;
  const pack = (): number => Math.max(sequence(), Math.floor(max_tokens_per_pack / 2));
  for (; pack() < max_tokens_per_pack;) yield { max_tokens_per_pack: (max_tokens_per_pack = pack()) };
  for (; per_step_prompts > 1;) yield { per_step_prompts: (per_step_prompts = Math.floor(per_step_prompts / 2)) };
  for (; num_generations > 2;) {
    num_generations = Math.max(2, Math.floor(num_generations / 2));
    yield { num_generations };
  }
  for (; max_completion_length > LEAST_LENGTH;) {
    max_completion_length = Math.max(LEAST_LENGTH, Math.floor(max_completion_length / 2));
    yield { max_completion_length, max_tokens_per_pack: Math.min(max_tokens_per_pack, sequence()) };
  }
  for (let r = lora?.r ?? 0; lora && r > LEAST_RANK;) {
    r = Math.max(LEAST_RANK, Math.floor(r / 2));
    // The scale lora_alpha / r stays.
    yield { lora: { ...lora, r, lora_alpha: (lora.lora_alpha * r) / lora.r } };
  }
}
