import { totalmem } from "node:os";
import { openCheckpoint } from "../../checkpoint/checkpoint.ts";
import { isR1Error } from "../../errors.ts";
import type { GpuContext } from "../../gpu/device.ts";
import { parseWeightFormat } from "../../kernels/weights/format.ts";
import type { MatrixFormat, WeightFormat } from "../../kernels/weights/format.ts";
import { readModelSpec } from "../../model/load.ts";
import { judgeMemory } from "../../model/memory-plan.ts";
import type { MemoryBudget, MemoryOffer, MemoryVerdict, Shortfall } from "../../model/memory-plan.ts";
import { modelFormats, uniformFormats } from "../../model/model-formats.ts";
import type { ModelFormats } from "../../model/model-formats.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { allTensors, checkTensors, modelTensors } from "../../model/tensor-names.ts";
import { matricesByFormat } from "../../model/weight-plan.ts";
import { UsageError } from "../args.ts";
import type { Args } from "../args.ts";
import type { Command } from "../command.ts";
import { KV_OPTION, KV_USAGE, kvFromArgs, openDevice } from "../engine.ts";
import { modelPath } from "../model-path.ts";
import type { ModelPath } from "../model-path.ts";

const DEFAULT_CONTEXT = 4096;
/** What checkpoints are published in; for a folder that has no weights yet. */
const USUAL_FORMAT: WeightFormat = "bf16";

export const planCommand: Command = {
  name: "plan",
  usage: `--model <path> [--quantization f32|f16|bf16|q8|q4] ${KV_USAGE} [--context 4096] [--batch 1] [--memory BYTES] [--limits default]`,
  summary: "GPU memory of a model before it is loaded, whether it fits, and what would",
  options: {
    model: { type: "string" },
    ...KV_OPTION,
    quantization: { type: "string" },
    context: { type: "string" },
    batch: { type: "string" },
    memory: { type: "string" },
    limits: { type: "string" },
  },
  async run(args) {
    const quantization = args.text("quantization");
    const given = quantization === undefined ? undefined : parseWeightFormat(quantization);
    const contextTokens = positive(args, "context") ?? DEFAULT_CONTEXT;
    const batch = positive(args, "batch") ?? 1;
    const memory = positive(args, "memory");
    const kv = kvFromArgs(args);
    const path = await modelPath(args.required("model"));
    const spec = await readModelSpec(path.folder);
    const stored = given === undefined ? await storedFormats(path, spec) : undefined;
    const context = await openDevice(args);
    const budget = budgetOf(context, memory);
    context.destroy();
    const verdict = judgeMemory(spec, { format: given ?? USUAL_FORMAT, stored, contextTokens, batch, kv }, budget);
    const { maxBufferSize, maxStorageBufferBindingSize, memoryBytes } = budget;
    return {
      json: {
        ...offerJson(spec, verdict),
        fits: verdict.fits,
        reason: verdict.fits ? null : verdict.reason,
        offer: verdict.fits || !verdict.offer ? null : offerJson(spec, verdict.offer),
        limits: {
          max_buffer_size: maxBufferSize,
          max_storage_buffer_binding_size: maxStorageBufferBindingSize,
          memory_bytes: memoryBytes ?? null,
        },
      },
      text: lines(spec, verdict).join("\n"),
    };
  },
};

/** What the weights' headers say; undefined for a folder that has no weights yet. */
async function storedFormats({ folder, file }: ModelPath, spec: ModelSpec): Promise<ModelFormats | undefined> {
  try {
    const checkpoint = await openCheckpoint(folder, file ? { file } : {});
    checkTensors(checkpoint, allTensors(modelTensors(spec)));
    return modelFormats(spec, checkpoint.tensors);
  } catch (error) {
    if (isR1Error(error) && error.code === "E_FILE_MISSING") return undefined;
    throw error;
  }
}

/** A software device's memory is the machine's; a GPU's is not told. */
function budgetOf({ adapter, limits }: GpuContext, memory: number | undefined): MemoryBudget {
  const { maxBufferSize, maxStorageBufferBindingSize } = limits;
  const memoryBytes = memory ?? (adapter.isFallback ? totalmem() : undefined);
  return { maxBufferSize, maxStorageBufferBindingSize, memoryBytes };
}

/** Bytes of the matrices in each format, the most first. */
function formatBytes(spec: ModelSpec, { request }: MemoryOffer): ReadonlyMap<MatrixFormat, number> {
  return matricesByFormat(spec, request.stored ?? uniformFormats(spec, request.format));
}

function offerJson(spec: ModelSpec, offer: MemoryOffer): object {
  const { request, plan } = offer;
  const matrices = formatBytes(spec, offer);
  const [[most] = [request.format]] = matrices;
  return {
    quantization: most,
    matrices_bytes: Object.fromEntries(matrices),
    kv: request.kv,
    context: request.contextTokens,
    batch: request.batch,
    weights_bytes: plan.weights,
    kv_cache_bytes: plan.kvCache,
    workspace_bytes: plan.workspace,
    staging_bytes: plan.staging,
    total_bytes: plan.total,
    peak_bytes: plan.peak,
  };
}

function lines(spec: ModelSpec, verdict: MemoryVerdict): string[] {
  const { plan } = verdict;
  const parts = `weights ${mib(plan.weights)}, KV cache ${mib(plan.kvCache)}, workspace ${mib(plan.workspace)}, staging while loading ${mib(plan.staging)}`;
  const first = `${described(spec, verdict)}: ${mib(plan.total)} (${parts})`;
  if (verdict.fits) return [first, "fits"];
  const { reason, offer } = verdict;
  const instead = offer
    ? `instead: ${described(spec, offer)}, ${mib(offer.plan.total)}`
    : "nothing smaller would fit; a smaller model might";
  return [first, `does not fit: ${REASONS[reason.kind](reason)}`, instead];
}

const REASONS: Record<Shortfall["kind"], (shortfall: Shortfall) => string> = {
  memory: ({ bytes, limit }) => `${mib(bytes)} are needed, ${mib(limit)} are there`,
  "kv-buffer": ({ bytes, limit }) => `a layer's KV cache takes ${mib(bytes)}; a buffer can have ${mib(limit)}`,
  "workspace-buffer": ({ bytes, limit }) => `a workspace buffer takes ${mib(bytes)}; a buffer can have ${mib(limit)}`,
  context: ({ bytes, limit }) => `a context of ${bytes} tokens; the model was made for ${limit}`,
};

function described(spec: ModelSpec, offer: MemoryOffer): string {
  const { contextTokens, batch, kv } = offer.request;
  const formats = [...formatBytes(spec, offer).keys()].join(" and ");
  return `${formats}, ${batch === 1 ? "" : `${batch} sequences of `}${contextTokens} tokens, cached in ${kv}`;
}

function mib(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

function positive(args: Args, name: string): number | undefined {
  const value = args.number(name);
  if (value === undefined || (Number.isInteger(value) && value > 0)) return value;
  throw new UsageError(`--${name} ${value}: expected a whole number above 0`);
}
