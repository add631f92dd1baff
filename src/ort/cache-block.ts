import type { Tensor } from "onnxruntime-web/wasm";
import type { OrtRuntime } from "./runtime.ts";

/** The names and sizes of a model's cache. */
export interface CacheShape {
  /** `past_key_values.0.key`, … */
  readonly names: readonly string[];
  readonly type: "float32" | "float16";
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Keys and values of sequences that have run together: for each name a tensor [rows, kvHeads, length, headDim]. */
export class CacheBlock {
  readonly rows: number;
  readonly length: number;
  readonly tensors: ReadonlyMap<string, Tensor>;
  #references = 0;

  constructor(rows: number, length: number, tensors: ReadonlyMap<string, Tensor>) {
    this.rows = rows;
    this.length = length;
    this.tensors = tensors;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** The last one to let go frees the tensors; of a GPU's, ONNX Runtime uses the buffers for a later block again. */
  release(): void {
    this.#references--;
    if (this.#references === 0) for (const tensor of this.tensors.values()) tensor.dispose();
  }
}

/** One sequence's row of a block. */
export interface CachePlace {
  readonly block: CacheBlock;
  readonly row: number;
}

/**
 * The first `length` positions of some rows as one block: the block itself where it holds just these, else a copy.
 * @returns a block without references
 */
export function gather(
  runtime: OrtRuntime,
  shape: CacheShape,
  places: readonly (CachePlace | undefined)[],
  length: number,
): CacheBlock {
  const [first] = places;
  const whole =
    first?.block.rows === places.length &&
    first.block.length === length &&
    places.every((place, row) => place?.block === first.block && place.row === row);
  if (whole) return first.block;
  const tensors = shape.names.map((name): [string, Tensor] => {
    const sources = places.map((place) => place && { tensor: place.block.tensors.get(name), place });
    const onGpu = sources.some((source) => source?.tensor?.location === "gpu-buffer");
    const spans = length === 0 ? [] : spansOf(shape, places, length);
    return [name, (onGpu ? copyOnGpu : copyOnCpu)(runtime, shape, name, spans, [places.length, length])];
  });
  return new CacheBlock(places.length, length, new Map(tensors));
}

/** Bytes of a block that become bytes of another. */
interface Span {
  readonly block: CacheBlock;
  readonly from: number;
  readonly to: number;
  readonly bytes: number;
}

function bytesPerPosition({ type, headDim }: CacheShape): number {
  return headDim * (type === "float32" ? 4 : 2);
}

function spansOf(shape: CacheShape, places: readonly (CachePlace | undefined)[], length: number): Span[] {
  const size = bytesPerPosition(shape);
  return places.flatMap((place, row) => {
    if (!place) return [];
    const { block } = place;
    return Array.from({ length: shape.kvHeads }, (_, head) => ({
      block,
      from: (place.row * shape.kvHeads + head) * block.length * size,
      to: (row * shape.kvHeads + head) * length * size,
      bytes: length * size,
    }));
  });
}

type Copy = (
  runtime: OrtRuntime,
  shape: CacheShape,
  name: string,
  spans: readonly Span[],
  size: readonly [rows: number, length: number],
) => Tensor;

const copyOnCpu: Copy = ({ ort }, shape, name, spans, [rows, length]) => {
  const { type, kvHeads, headDim } = shape;
  const count = rows * kvHeads * length * headDim;
  const data = type === "float32" ? new Float32Array(count) : new Uint16Array(count);
  const bytes = new Uint8Array(data.buffer);
  for (const { block, from, to, bytes: size } of spans) {
    const source = block.tensors.get(name)?.data;
    if (!ArrayBuffer.isView(source)) continue;
    bytes.set(new Uint8Array(source.buffer, source.byteOffset + from, size), to);
  }
  const dims = [rows, kvHeads, length, headDim];
  return data instanceof Float32Array ? new ort.Tensor("float32", data, dims) : new ort.Tensor("float16", data, dims);
};

const copyOnGpu: Copy = ({ ort, provider }, shape, name, spans, [rows, length]) => {
  const { type, kvHeads, headDim } = shape;
  if (provider.name !== "webgpu") return copyOnCpu({ ort, provider }, shape, name, spans, [rows, length]);
  const { device } = provider;
  const size = rows * kvHeads * length * bytesPerPosition(shape);
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffer = device.createBuffer({
    label: name,
    size: Math.ceil(size / 16) * 16,
    usage: STORAGE | COPY_SRC | COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  for (const { block, from, to, bytes } of spans) {
    const source = block.tensors.get(name);
    if (source) encoder.copyBufferToBuffer(source.gpuBuffer, from, buffer, to, bytes);
  }
  device.queue.submit([encoder.finish()]);
  return ort.Tensor.fromGpuBuffer(buffer, {
    dataType: type,
    dims: [rows, kvHeads, length, headDim],
    dispose: () => buffer.destroy(),
  });
};
