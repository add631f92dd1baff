import { STORAGE_USAGE, UNIFORM_USAGE } from "../gpu/arena.ts";
import type { BufferScope } from "../gpu/arena.ts";
import type { GpuContext } from "../gpu/device.ts";

/** Makes a storage buffer holding `data`. */
export function uploadStorage(
  context: GpuContext,
  scope: BufferScope,
  name: string,
  data: ArrayBufferView<ArrayBuffer>,
): GPUBuffer {
  const buffer = scope.create(name, data.byteLength, STORAGE_USAGE);
  context.write(buffer, data);
  return buffer;
}

/** One field of a uniform block of scalars: u32 unless marked as f32. */
export type UniformField = number | { readonly f32: number };

/** Packs scalars in declaration order (all of them 4 bytes, so WGSL adds no padding between them) and rounds up to 16 bytes. */
export function packUniform(fields: readonly UniformField[]): Uint32Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(fields.length / 4) * 4);
  const floats = new Float32Array(words.buffer);
  fields.forEach((field, i) => {
    if (typeof field === "number") words[i] = field;
    else floats[i] = field.f32;
  });
  return words;
}

/** Makes a uniform buffer; see {@link packUniform}. */
export function uploadUniform(
  context: GpuContext,
  scope: BufferScope,
  name: string,
  fields: readonly UniformField[],
): GPUBuffer {
  const words = packUniform(fields);
  const buffer = scope.create(name, words.byteLength, UNIFORM_USAGE);
  context.write(buffer, words);
  return buffer;
}
