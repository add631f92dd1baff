import { isReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import { isKQuantFormat, K_QUANT_BLOCK } from "../kernels/weights/format.ts";
import type { MatrixFormat, WeightFormat } from "../kernels/weights/format.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { rowFormats } from "./device-format.ts";
import { planMemory } from "./memory-plan.ts";
import type { MemoryRequest } from "./memory-plan.ts";
import { uniformFormats } from "./model-formats.ts";
import type { SessionSizes } from "./session-buffers.ts";
import { parameterCount } from "./spec.ts";
import type { ModelSpec } from "./spec.ts";

/** Which formats the matrices of a file that is not there yet will have on the device: shares of all elements. */
export type FormatMix = ReadonlyMap<MatrixFormat, number>;

/** What community quantizations give to the matrices that matter most. */
const BETTER: ReadableDtype = "Q6_K";

/**
 * The mix of a GGUF file of which only its name and size are known: two types of blocks, in the proportion that makes the
 * file as large as it is.
 * @param file its name, which ends in the quantization as llama.cpp calls it: `…-Q4_K_M.gguf`
 */
export function mixOfGguf(spec: ModelSpec, file: string, bytes: number): FormatMix {
  const parameters = parameterCount(spec);
  const base = ggufType(file) ?? BETTER;
  const [low, high] = [storedBits(base), storedBits(BETTER)];
  const average = (bytes * 8) / parameters;
  const share = high <= low ? 1 : Math.min(1, Math.max(0, (high - average) / (high - low)));
  return shares([
    [formatOf(base, spec), share],
    [formatOf(BETTER, spec), 1 - share],
  ]);
}

/** The mix of safetensors of a known size. */
export function mixOfFloats(spec: ModelSpec, bytes: number): FormatMix {
  // Nothing is published between 16 and 32 bits.
  return new Map([[(bytes * 8) / parameterCount(spec) > 24 ? "f32" : "bf16", 1]]);
}

/**
 * A mix as `judgeMemory` takes it: the format of most elements, and the bytes of all.
 * @throws R1Error E_LIMIT as `planMemory`
 */
export function weightsOfMix(
  spec: ModelSpec,
  mix: FormatMix,
  sizes: SessionSizes,
  limits: BufferLimits,
): Pick<MemoryRequest, "format" | "weightBytes"> {
  const byShare = [...mix].toSorted(([, a], [, b]) => b - a);
  const most = byShare[0]?.[0] ?? "f32";
  if (byShare.length < 2 && !isKQuantFormat(most)) return { format: most, weightBytes: undefined };
  const bytesIn = (format: MatrixFormat): number =>
    planMemory(spec, uniformFormats(spec, format), sizes, limits).weights;
  const bytes = byShare.reduce((sum, [format, share]) => sum + share * bytesIn(format), 0);
  return { format: convertedLike(most), weightBytes: Math.round(bytes) };
}

/** The format that weights can be converted to and that is as large, or the next larger. */
export function convertedLike(format: MatrixFormat): WeightFormat {
  if (!isKQuantFormat(format)) return format;
  return format === "q4_k" ? "q4" : "q8";
}

/** What a tensor of the type becomes on the device, as far as the width of its rows allows. */
function formatOf(dtype: ReadableDtype, spec: ModelSpec): MatrixFormat {
  const [first] = rowFormats([dtype], { parameters: parameterCount(spec) });
  const format = first?.format ?? "f32";
  const fits = [spec.hiddenSize, spec.intermediateSize].every((k) => k % K_QUANT_BLOCK === 0);
  return isKQuantFormat(format) && !fits ? "q8" : format;
}

/** `Q4_K` for `model-Q4_K_M.gguf`; undefined for a name that ends in no type. */
function ggufType(file: string): ReadableDtype | undefined {
  const [, name = ""] = /(?:^|[-._])((?:IQ|Q)\d_\w+?|B?F16|F32|MXFP4\w*?)(?:-\d{5}-of-\d{5})?\.gguf$/i.exec(file) ?? [];
  const upper = name.toUpperCase();
  return [upper, upper.replace(/_[A-Z]+$/, "")].find(isReadableDtype);
}

function storedBits(dtype: ReadableDtype): number {
  const { block, bytes } = GGML_TYPES[dtype];
  return (bytes * 8) / block;
}

function shares(parts: readonly (readonly [MatrixFormat, number])[]): FormatMix {
  const total = parts.reduce((sum, [, part]) => sum + part, 0);
  const mix = new Map<MatrixFormat, number>();
  for (const [format, part] of parts) if (part > 0) mix.set(format, (mix.get(format) ?? 0) + part / total);
  return mix;
}
