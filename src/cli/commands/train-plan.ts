import { totalmem } from "node:os";
import type { GpuContext } from "../../gpu/device.ts";
import { gemmShape } from "../../kernels/gemm/gemm.ts";
import { planTrainingMemory } from "../../model/training/memory-plan.ts";
import { mostlyIn } from "../../model/weight-plan.ts";
import { measureSpeed } from "../../model/training/speed.ts";
import type { TrainingPlanBytes } from "../../model/training/memory-plan.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import { grpoRequest, judgeGrpo } from "../../train/run/grpo-plan.ts";
import type { GrpoVerdict } from "../../train/run/grpo-plan.ts";
import { readStartingModel, weightsFor } from "../../train/run/starting-model.ts";
import { secondsPerStep } from "../../train/run/step-time.ts";
import type { CommandOutput } from "../command.ts";
import { modelPath } from "../model-path.ts";

/** What a GRPO run will take, before anything of it is loaded. */
export async function planGrpo(
  context: GpuContext,
  config: GrpoConfig,
  find: (path: string) => string,
): Promise<CommandOutput> {
  const { folder } = await modelPath(find(config.model));
  const model = await readStartingModel(folder);
  const choice = weightsFor(config, model);
  const format = mostlyIn(model.spec, choice);
  const { maxBufferSize, maxStorageBufferBindingSize } = context.limits;
  const budget = {
    maxBufferSize,
    maxStorageBufferBindingSize,
    // A software device's memory is the machine's; a GPU's is not told.
    memoryBytes: context.adapter.isFallback ? totalmem() : undefined,
  };
  const verdict = judgeGrpo(model.spec, config, choice, { budget, shape: gemmShape(context) });
  const speed = await measureSpeed(context, format, config.per_step_prompts * config.num_generations);
  const seconds = secondsPerStep(config, model.spec, speed);
  const offer = verdict.fits || !verdict.offer ? null : verdict.offer;
  return {
    json: {
      weights: format,
      ...bytesJson(verdict.plan),
      fits: verdict.fits,
      reason: verdict.fits ? null : verdict.reason,
      offer: offer && { ...offer.changes, ...bytesJson(offer.plan) },
      seconds_per_step: seconds,
    },
    text: lines(verdict, format, seconds).join("\n"),
  };
}

/** What is planned for a run that goes on anyhow, to be held against what it comes to. */
export async function plannedPeak(
  context: GpuContext,
  config: GrpoConfig,
  find: (path: string) => string,
): Promise<number> {
  const model = await readStartingModel((await modelPath(find(config.model))).folder);
  const request = grpoRequest(config, model.spec, weightsFor(config, model));
  return planTrainingMemory(model.spec, request, context.limits, gemmShape(context)).peak;
}

function bytesJson(plan: TrainingPlanBytes): Record<string, number> {
  return {
    weights_bytes: plan.weights,
    reference_bytes: plan.reference,
    parameters_bytes: plan.parameters,
    kv_cache_bytes: plan.kvCache,
    activations_bytes: plan.activations,
    workspace_bytes: plan.workspace,
    staging_bytes: plan.staging,
    total_bytes: plan.total,
    peak_bytes: plan.peak,
  };
}

function lines(verdict: GrpoVerdict, format: string, seconds: number): string[] {
  const { plan } = verdict;
  const parts = [
    `weights in ${format} ${mib(plan.weights)}`,
    ...(plan.reference > 0 ? [`reference ${mib(plan.reference)}`] : []),
    `trained parameters with gradients and moments ${mib(plan.parameters)}`,
    `KV cache ${mib(plan.kvCache)}`,
    `activations ${mib(plan.activations)}`,
    `workspace ${mib(plan.workspace)}`,
  ];
  const first = [
    `${mib(plan.total)}: ${parts.join(", ")}`,
    `about ${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s per step if every completion is as long as it may be, from small products measured on this device`,
  ];
  if (verdict.fits) return [...first, "fits"];
  const { reason, offer } = verdict;
  const changes = offer && Object.entries(offer.changes).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [
    ...first,
    `does not fit: ${reason.kind} takes ${mib(reason.bytes)} of ${mib(reason.limit)}`,
    offer && changes
      ? `instead: ${changes.join(", ")}: ${mib(offer.plan.total)}`
      : "nothing smaller would fit; a smaller model might",
  ];
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
