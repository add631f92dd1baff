import { blobFolder } from "../checkpoint/blob.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { buildSafetensors } from "../checkpoint/testing.ts";
import type { TestTensor } from "../checkpoint/testing.ts";
import { noiseArray } from "../kernels/testing.ts";
import { f32ToBf16Bits, f32ToF16Bits } from "../kernels/weights/half.ts";
import { parseModelSpec } from "./spec.ts";
import { allTensors, modelTensors } from "./tensor-names.ts";
import type { FloatDtype } from "../checkpoint/floats.ts";

/** A model of odd sizes: nothing is a multiple of a tile, a block or a vector. */
export const ODD_CONFIG = {
  architectures: ["Qwen2ForCausalLM"],
  hidden_act: "silu",
  hidden_size: 44,
  intermediate_size: 51,
  num_hidden_layers: 2,
  num_attention_heads: 3,
  num_key_value_heads: 3,
  head_dim: 12,
  vocab_size: 77,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: false,
};

/** Seeded weights for a configuration, as a checkpoint's tensors. */
export function randomTensors(config: object, dtype: FloatDtype = "F32"): Record<string, TestTensor> {
  const wanted = allTensors(modelTensors(parseModelSpec(config)));
  return Object.fromEntries(
    wanted.map(({ name, shape }, i) => {
      const count = shape.reduce((a, b) => a * b, 1);
      const values = noiseArray(count, i + 1, name.includes("norm") ? 0.2 : 0.25);
      // Norms lie around 1.
      const shifted = name.includes("norm") ? values.map((v) => 1 + v) : values;
      return [name, { dtype, shape, data: encode(shifted, dtype) }];
    }),
  );
}

function encode(values: Float32Array, dtype: FloatDtype): ArrayBufferView {
  if (dtype === "F32") return values;
  return Uint16Array.from(values, dtype === "F16" ? f32ToF16Bits : f32ToBf16Bits);
}

/** A model folder in memory. */
export function memoryFolder(
  config: object,
  tensors: Record<string, TestTensor> | Uint8Array<ArrayBuffer>,
): ModelFolder {
  const weights = tensors instanceof Uint8Array ? tensors : buildSafetensors(tensors);
  return blobFolder("test model", [
    { path: "config.json", blob: new Blob([JSON.stringify(config)]) },
    { path: "model.safetensors", blob: new Blob([weights]) },
  ]);
}
