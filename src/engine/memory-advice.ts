import { onnxVariantOf } from "../checkpoint/onnx/variants.ts";
import { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import { convertedLike, mixOfFloats, mixOfGguf, weightsOfMix } from "../model/format-mix.ts";
import type { FormatMix } from "../model/format-mix.ts";
import { judgeMemory, lacking, PREFILL_ROWS, sizesOf } from "../model/memory-plan.ts";
import type { MemoryBudget, MemoryRequest, MemoryWish } from "../model/memory-plan.ts";
import { modelFormats } from "../model/model-formats.ts";
import type { ModelFormats } from "../model/model-formats.ts";
import { parameterCount } from "../model/spec.ts";
import type { ModelSpec } from "../model/spec.ts";
import { mostlyIn } from "../model/weight-plan.ts";
import { lackingInOrt, planOrt } from "../ort/memory.ts";
import type { OrtRequest, OrtShortfall } from "../ort/memory.ts";
import { bestVariant } from "../ort/onnx-files.ts";
import type { OnnxGraphs } from "../ort/onnx-files.ts";
import { chooseRuntime } from "./chat-model.ts";
import { contextOf } from "./chat-sessions.ts";
import type { CheckedFolder } from "./check-folder.ts";
import type { HubWeights, LoadRequest, MemoryAdvice, MemoryNeed } from "./protocol.ts";

/** What is known of a model's weights before they are read. */
export type KnownWeights =
  | { readonly format: "safetensors"; readonly mix: FormatMix }
  | { readonly format: "safetensors"; readonly stored: ModelFormats }
  | { readonly format: "onnx"; readonly graphs: OnnxGraphs };

/** What a model would be loaded on. */
export interface Machine {
  /** Undefined where there is none that can be opened. */
  readonly gpu: Pick<GpuContext, "adapter" | "features" | "limits"> | undefined;
  /** Memory that a model may take, where something is known of it. */
  readonly memoryBytes: number | undefined;
  /** Memory that a model can be told to have for sure; less than a large machine has, which browsers do not tell. */
  readonly safeBytes: number;
}

export type AdvisedRequest = Pick<LoadRequest, "format" | "contextTokens" | "kv" | "runtime"> & {
  readonly batch?: number;
};

/** Contexts that are proposed, longest first; shorter ones are of no use for thinking. */
const CONTEXTS = [32_768, 16_384, 8192, 4096, 2048, 1024, 512];

/** Whether two are of the same weights, neither of them converted. */
function isKept(of: MemoryRequest, wanted: MemoryWish): boolean {
  return of.format === wanted.format && of.stored === wanted.stored && of.weightBytes === wanted.weightBytes;
}

/** What a model would take, whether that fits, and if it does not, why and what would. */
export function adviseMemory(
  spec: ModelSpec,
  weights: KnownWeights,
  request: AdvisedRequest,
  machine: Machine,
): MemoryAdvice {
  const { gpu } = machine;
  const graphs: OnnxGraphs = weights.format === "onnx" ? weights.graphs : new Map();
  const { runtime } = chooseRuntime(gpu, { format: weights.format, graphs }, request.runtime ?? "auto");
  if (runtime === "webgpu" && weights.format === "safetensors" && gpu) {
    return adviseDevice(spec, weights, request, [gpu, machine]);
  }
  return adviseOrt(spec, weights, request, machine, runtime === "onnx-webgpu" ? "webgpu" : "wasm");
}

/** What the headers of a folder tell. */
export function weightsOfFolder(
  spec: ModelSpec,
  { checkpoint, graphs }: Pick<CheckedFolder, "checkpoint" | "graphs">,
): KnownWeights {
  return checkpoint
    ? { format: "safetensors", stored: modelFormats(spec, checkpoint.tensors) }
    : { format: "onnx", graphs };
}

/** What the hub's listing tells. */
export function weightsOfListing(spec: ModelSpec, { format, file, bytes }: HubWeights): KnownWeights {
  if (format === "gguf") return { format: "safetensors", mix: mixOfGguf(spec, file, bytes) };
  if (format === "safetensors") return { format, mix: mixOfFloats(spec, bytes) };
  return { format, graphs: new Map([[onnxVariantOf(file) ?? "model", bytes]]) };
}

function limitsOf({ limits }: Pick<GpuContext, "limits">): MemoryBudget {
  const { maxBufferSize, maxStorageBufferBindingSize } = limits;
  return { maxBufferSize, maxStorageBufferBindingSize };
}

function adviseDevice(
  spec: ModelSpec,
  weights: Exclude<KnownWeights, { readonly format: "onnx" }>,
  { format, batch = 1, kv = "auto", ...request }: AdvisedRequest,
  [gpu, { memoryBytes, safeBytes }]: readonly [Pick<GpuContext, "limits">, Machine],
): MemoryAdvice {
  const budget = { ...limitsOf(gpu), memoryBytes };
  const sized = { contextTokens: contextOf(spec, request), batch, kv } as const;
  const kept =
    "stored" in weights
      ? { format: convertedLike(mostlyIn(spec, weights.stored)), stored: weights.stored }
      : weightsOfMix(spec, weights.mix, sizesOf({ ...sized, kv: "f32", format: "f32" }), budget);
  const wanted: MemoryWish = { ...sized, ...(format ? { format } : kept) };
  const verdict = judgeMemory(spec, wanted, budget);
  const need = ({ request: of, plan: memory }: Pick<typeof verdict, "request" | "plan">): MemoryNeed => ({
    // As it is stored where that is what fits: nothing has to be asked for then.
    ...(!format && isKept(of, wanted) ? {} : { format: of.format }),
    contextTokens: of.contextTokens,
    kv: of.kv,
    batch: of.batch,
    memory,
  });
  const longest = (most: number | undefined): number =>
    longestContext(spec, (contextTokens) => {
      return !lacking(spec, { ...wanted, contextTokens }, { ...budget, memoryBytes: most });
    });
  const advice = {
    ...need(verdict),
    runtime: "webgpu",
    longestContext: longest(memoryBytes),
    safeContext: longest(Math.min(safeBytes, memoryBytes ?? safeBytes)),
  } as const;
  if (verdict.fits) return advice;
  const { reason, offer } = verdict;
  return { ...advice, reason, ...(offer ? { offer: need(offer) } : {}) };
}

function adviseOrt(
  spec: ModelSpec,
  weights: KnownWeights,
  { batch = 1, ...request }: AdvisedRequest,
  { gpu, memoryBytes, safeBytes }: Machine,
  provider: "webgpu" | "wasm",
): MemoryAdvice {
  const graph = graphOf(spec, weights, provider, gpu?.features.f16 ?? false);
  const sized = (contextTokens: number): OrtRequest => ({ ...graph, contextTokens, batch, prefillRows: PREFILL_ROWS });
  const lacks = (contextTokens: number, most = memoryBytes): OrtShortfall | undefined =>
    graph.reason ?? lackingInOrt(spec, sized(contextTokens), provider, { limits: gpu?.limits, memoryBytes: most });
  const need = (contextTokens: number): MemoryNeed => ({
    contextTokens,
    kv: "f32",
    batch,
    memory: planOrt(spec, sized(contextTokens)),
  });
  const wanted = contextOf(spec, request);
  const longest = longestContext(spec, (contextTokens) => !lacks(contextTokens));
  const reason = lacks(wanted);
  return {
    ...need(wanted),
    runtime: provider === "webgpu" ? "onnx-webgpu" : "onnx-wasm",
    longestContext: longest,
    safeContext: longestContext(
      spec,
      (contextTokens) => !lacks(contextTokens, Math.min(safeBytes, memoryBytes ?? safeBytes)),
    ),
    ...(reason ? { reason, ...(longest > 0 ? { offer: need(longest) } : {}) } : {}),
  };
}

/** The graph that would be loaded: of the folder's the best, or the one that other weights are exported to in memory. */
function graphOf(
  spec: ModelSpec,
  weights: KnownWeights,
  provider: "webgpu" | "wasm",
  hasF16: boolean,
): Pick<OrtRequest, "variant" | "bytes"> & { readonly reason?: OrtShortfall } {
  if (weights.format === "onnx") {
    const best = bestVariant(weights.graphs, provider, hasF16);
    const [[variant, bytes] = ["model", 0] as const] = [...weights.graphs].toSorted(([a], [b]) =>
      a === best ? -1 : b === best ? 1 : 0,
    );
    return { variant, bytes, ...(best ? {} : { reason: { kind: "feature", bytes, limit: 0 } }) };
  }
  // All in f32, with the cosines and sines of every position.
  return { variant: "model", bytes: 4 * (parameterCount(spec) + spec.maxPositions * spec.headDim) };
}

function longestContext({ maxPositions }: ModelSpec, fits: (contextTokens: number) => boolean): number {
  return CONTEXTS.find((contextTokens) => contextTokens <= maxPositions && fits(contextTokens)) ?? 0;
}

/**
 * Refuses what does not fit, before gigabytes are read.
 * @throws R1Error E_TOO_LARGE for memory, E_LIMIT for a device's largest buffers; their details hold the offer. What a
 *   device lacks the feature for is refused as it is read, by name.
 */
export function requireFit({ reason, offer, memory, contextTokens }: MemoryAdvice): void {
  if (!reason || reason.kind === "feature") return;
  const { kind, bytes, limit } = reason;
  const instead = offer
    ? `; ${offer.format ? `${offer.format} with ` : ""}${offer.contextTokens} tokens would fit`
    : "";
  const details = { kind, bytes, limit, ...offerDetails(offer) };
  if (kind === "memory" || kind === "process") {
    const what = `the model takes ${memory.peak} bytes with a context of ${contextTokens} tokens`;
    throw new R1Error("E_TOO_LARGE", `${what}; ${limit} bytes can be had of ${bytes} at once${instead}`, details);
  }
  const what = kind === "weights-buffer" ? "a matrix of the model" : `a context of ${contextTokens} tokens`;
  throw new R1Error(
    "E_LIMIT",
    `${what} needs a buffer of ${bytes} bytes; this device allows ${limit}${instead}`,
    details,
  );
}

/** Below this, a smaller format is offered rather than half of the context. */
const SHORT_CONTEXT = 1024;
const SMALLER_FORMATS = ["q8", "q4"] as const;

/** What weights are loaded in: what was asked for, or what can be converted to and comes next to what is stored. */
export function heldAs(spec: ModelSpec, weights: KnownWeights, asked: LoadRequest["format"]): LoadRequest["format"] {
  if (asked || !("stored" in weights)) return asked;
  return convertedLike(mostlyIn(spec, weights.stored));
}

/**
 * What to try where the machine ran out of memory although the plan fitted: half the context, then a smaller format.
 * @param format that was asked for
 * @param held as {@link heldAs} says
 */
export function offerAfterFull(
  contextTokens: number,
  format: LoadRequest["format"],
  held = format,
): Pick<MemoryNeed, "format" | "contextTokens"> | undefined {
  if (contextTokens > SHORT_CONTEXT) {
    return { contextTokens: Math.max(SHORT_CONTEXT, Math.floor(contextTokens / 2)), ...(format ? { format } : {}) };
  }
  const smaller = SMALLER_FORMATS[SMALLER_FORMATS.findIndex((one) => one === held) + 1];
  return smaller && { contextTokens, format: smaller };
}

/** An offer as an error's details carry it to the page. */
export function offerDetails(
  offer: Pick<MemoryNeed, "format" | "contextTokens"> | undefined,
): Readonly<Record<string, string | number>> {
  if (!offer) return {};
  return { offerContextTokens: offer.contextTokens, ...(offer.format ? { offerFormat: offer.format } : {}) };
}
