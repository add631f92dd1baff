import { GGML_TYPES } from "../checkpoint/gguf/ggml-type.ts";
import type { GgmlType } from "../checkpoint/gguf/ggml-type.ts";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { ggufName } from "../checkpoint/gguf/tensor-names.ts";
import { buildGguf, TINY_METADATA } from "../checkpoint/gguf/testing.ts";
import { tensorBytes } from "../checkpoint/gguf/write.ts";
import type { WrittenValue } from "../checkpoint/gguf/write.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { memoryFolder } from "../checkpoint/testing.ts";
import { noise } from "../kernels/testing.ts";
import { f32ToF16Bits } from "../kernels/weights/half.ts";
import { parseModelSpec } from "./spec.ts";
import { allTensors, modelTensors } from "./tensor-names.ts";

/** Sizes of a Qwen2 model as a GGUF file; the vocabulary is padded. */
export interface GgufSizes {
  readonly hidden: number;
  readonly inner: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly layers: number;
  readonly vocabulary: number;
}

/** Where a type's blocks have f16 scales, and how large these make weights of about ±0.15 at most. */
const SCALES: Partial<Record<GgmlType, readonly (readonly [at: number, size: number])[]>> = {
  Q4_0: [[0, 0.02]],
  Q8_0: [[0, 0.001]],
  Q4_K: [
    [0, 0.00015],
    [2, 0.0015],
  ],
  Q6_K: [[208, 0.00004]],
  Q5_K: [
    [0, 0.00008],
    [2, 0.0015],
  ],
};

/** Blocks of random levels and scales: every value that the type can have may come up. */
export function randomBlocks(dtype: GgmlType, elements: number, seed: number): Uint8Array<ArrayBuffer> {
  const { bytes: size } = GGML_TYPES[dtype];
  const next = noise(seed);
  const bytes = Uint8Array.from({ length: tensorBytes({ dtype, shape: [elements] }) }, () =>
    Math.floor((next() + 1) * 128),
  );
  const view = new DataView(bytes.buffer);
  for (let block = 0; block < bytes.length; block += size) {
    for (const [at, scale] of SCALES[dtype] ?? []) view.setUint16(block + at, f32ToF16Bits(scale * next()), true);
  }
  return bytes;
}

/**
 * A random Qwen2 model as a GGUF file's folder.
 * @param dtypeOf matrices by their names in the file; vectors are F32
 * @param given bytes of some tensors, by their names in the file
 */
export function ggufModel(...args: Parameters<typeof ggufModelBytes>): Promise<ModelFolder> {
  return modelFolder(memoryFolder({ "x.gguf": ggufModelBytes(...args) }), "x.gguf");
}

/** The file of {@link ggufModel}. */
export function ggufModelBytes(
  sizes: GgufSizes,
  dtypeOf: (name: string) => GgmlType,
  given: Readonly<Record<string, Uint8Array>> = {},
): Uint8Array<ArrayBuffer> {
  const spec = parseModelSpec({
    architectures: ["Qwen2ForCausalLM"],
    hidden_size: sizes.hidden,
    intermediate_size: sizes.inner,
    num_hidden_layers: sizes.layers,
    num_attention_heads: sizes.heads,
    num_key_value_heads: sizes.kvHeads,
    vocab_size: sizes.vocabulary,
    max_position_embeddings: 64,
    tie_word_embeddings: false,
  });
  const tensors = allTensors(modelTensors(spec)).map(({ name: hub, shape }, i) => {
    const name = ggufName(hub);
    const elements = shape.reduce((product, size) => product * size, 1);
    const dtype = shape.length === 2 ? dtypeOf(name) : "F32";
    const data = given[name] ?? (dtype === "F32" ? floats(name, elements, i) : randomBlocks(dtype, elements, i + 1));
    return { name, dtype, shape, data };
  });
  const metadata = new Map<string, WrittenValue>([
    ...TINY_METADATA,
    ["qwen2.embedding_length", ["u32", sizes.hidden]],
    ["qwen2.feed_forward_length", ["u32", sizes.inner]],
    ["qwen2.block_count", ["u32", sizes.layers]],
    ["qwen2.attention.head_count", ["u32", sizes.heads]],
    ["qwen2.attention.head_count_kv", ["u32", sizes.kvHeads]],
  ]);
  return buildGguf(metadata, tensors);
}

/** As llama.cpp's Q4_K_M: some layers, here the first, have v and down in Q6_K, and so is the output projection. */
export function q4KM(name: string): GgmlType {
  return /^output\.weight|^blk\.0\.(attn_v|ffn_down)\./.test(name) ? "Q6_K" : "Q4_K";
}

/** Norms lie around 1. */
function floats(name: string, count: number, seed: number): Uint8Array {
  const next = noise(seed + 1);
  const centre = name.includes("norm") ? 1 : 0;
  return new Uint8Array(Float32Array.from({ length: count }, () => centre + next() * 0.2).buffer);
}
