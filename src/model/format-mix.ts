import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { isReadableDtype, readableDtypeOf } from "../checkpoint/gguf/dequantize/dequantize.ts";
import type { ReadableDtype } from "../checkpoint/gguf/dequantize/dequantize.ts";
import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import type { WeightFormat } from "../kernels/weights/format.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { deviceFormat } from "./device-format.ts";
import { planMemory } from "./memory-plan.ts";
import type { MemoryRequest } from "./memory-plan.ts";
import type { SessionSizes } from "./session-buffers.ts";
import { parameterCount } from "./spec.ts";
import type { ModelSpec } from "./spec.ts";
import { modelTensors } from "./tensor-names.ts";
import type { WantedTensor } from "./tensor-names.ts";

/** Which formats the matrices of a file have on the device where nothing else is asked for: shares of all elements. */
export type FormatMix = ReadonlyMap<WeightFormat, number>;

/**
 * The mix of an opened checkpoint.
 * @throws R1Error E_DTYPE for a tensor that cannot be read
 */
export function mixOfTensors(spec: ModelSpec, { tensors }: Checkpoint): FormatMix {
  const { embedding, head, layers } = modelTensors(spec);
  // What lies in one matrix on the device has one format there.
  const together = [
    [embedding],
    ...(head ? [[head]] : []),
    ...layers.flatMap(({ qkv, output, gateUp, down }) => [qkv, [output], gateUp, [down]]),
  ];
  const parameters = parameterCount(spec);
  return shares(
    together.map((matrix) => {
      const dtypes = matrix.flatMap(({ name }) => tensors.get(name) ?? []).map(readableDtypeOf);
      return [deviceFormat(dtypes, parameters), matrix.reduce((sum, { shape }) => sum + elements(shape), 0)];
    }),
  );
}

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
    [deviceFormat([base], parameters), share],
    [deviceFormat([BETTER], parameters), 1 - share],
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
  const format = byShare[0]?.[0] ?? "f32";
  if (byShare.length < 2) return { format, weightBytes: undefined };
  const bytes = byShare.reduce((sum, [one, share]) => sum + share * planMemory(spec, one, sizes, limits).weights, 0);
  return { format, weightBytes: Math.round(bytes) };
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

function shares(parts: readonly (readonly [WeightFormat, number])[]): FormatMix {
  const total = parts.reduce((sum, [, part]) => sum + part, 0);
  const mix = new Map<WeightFormat, number>();
  for (const [format, part] of parts) if (part > 0) mix.set(format, (mix.get(format) ?? 0) + part / total);
  return mix;
}

function elements(shape: WantedTensor["shape"]): number {
  return shape.reduce((product, size) => product * size, 1);
}
