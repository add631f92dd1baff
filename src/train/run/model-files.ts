import { blobFolder } from "../../checkpoint/blob.ts";
import { buildSafetensors } from "../../checkpoint/safetensors/write.ts";
import type { NamedTensorData } from "../../checkpoint/safetensors/write.ts";
import type { ModelFolder } from "../../checkpoint/source.ts";
import { readTexts, TEXT_FILES } from "../../checkpoint/text-files.ts";
import { f32ToBf16Bits } from "../../kernels/weights/half.ts";
import { parseModelSpec } from "../../model/spec.ts";
import { allTensors, modelTensors } from "../../model/tensor-names.ts";
import type { InitSpec } from "../config/sft-config.ts";
import { Rng } from "../rng.ts";
import { nanoTokenizerConfig, nanoTokenizerJson } from "../tasks/nano-tokenizer.ts";
import { PURPOSE } from "./environment.ts";

export type FileMap = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

export function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** The files beside the weights that make a folder a model. */
export async function keptFiles(folder: ModelFolder): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const texts = await readTexts(folder, ["config.json", ...TEXT_FILES]);
  const encoder = new TextEncoder();
  return new Map(Array.from(texts, ([file, text]) => [file, encoder.encode(text)]));
}

export function folderOf(name: string, files: FileMap): ModelFolder {
  return blobFolder(
    name,
    Array.from(files, ([path, bytes]) => ({ path, blob: new Blob([bytes]) })),
  );
}

/**
 * A fresh model with the nano tokenizer: weights normal with deviation `initializer_range`, norms 1, biases 0, as
 * transformers initialises Qwen2.
 */
export function freshModel(init: InitSpec, seed: number): Map<string, Uint8Array<ArrayBuffer>> {
  const tokenizer = nanoTokenizerJson();
  const tokenizerConfig = nanoTokenizerConfig();
  const vocabulary = tokenizer.model.vocab.length + tokenizer.added_tokens.length;
  const idOf = (content: string): number | undefined =>
    tokenizer.added_tokens.find((token) => token.content === content)?.id;
  const [bos, eos] = [idOf(tokenizerConfig.bos_token), idOf(tokenizerConfig.eos_token)];
  const { model_type, ...shape } = init;
  const config = {
    architectures: [model_type === "qwen2" ? "Qwen2ForCausalLM" : "LlamaForCausalLM"],
    model_type,
    hidden_act: "silu",
    ...shape,
    vocab_size: vocabulary,
    bos_token_id: bos,
    eos_token_id: eos,
    torch_dtype: "float32",
  };
  const wanted = allTensors(modelTensors(parseModelSpec(config)));
  const tensors = wanted.map(({ name, shape: sizes }, i): readonly [string, NamedTensorData] => {
    const count = sizes.reduce((a, b) => a * b, 1);
    const data = new Float32Array(count);
    if (name.includes("norm")) data.fill(1);
    else if (!name.endsWith(".bias")) fillNormal(data, new Rng(seed, PURPOSE.init, i), init.initializer_range);
    return [name, { dtype: "F32", shape: sizes, data }];
  });
  return new Map([
    ["config.json", jsonBytes(config)],
    ["tokenizer.json", jsonBytes(tokenizer)],
    ["tokenizer_config.json", jsonBytes(tokenizerConfig)],
    ["generation_config.json", jsonBytes({ bos_token_id: bos, eos_token_id: eos, do_sample: true, temperature: 1 })],
    ["model.safetensors", buildSafetensors(Object.fromEntries(tensors), { format: "pt" })],
  ]);
}

/** Box and Muller's way from uniform to normal numbers. */
export function fillNormal(data: Float32Array, rng: Rng, deviation: number): void {
  for (let i = 0; i < data.length; i += 2) {
    const radius = deviation * Math.sqrt(-2 * Math.log(1 - rng.uniform()));
    const angle = 2 * Math.PI * rng.uniform();
    data[i] = radius * Math.cos(angle);
    if (i + 1 < data.length) data[i + 1] = radius * Math.sin(angle);
  }
}

export type NamedTensors = ReadonlyMap<
  string,
  { readonly shape: readonly number[]; readonly data: Float32Array<ArrayBuffer> }
>;

/** A safetensors file of f32 values, stored as f32 or bf16. */
export function tensorFile(tensors: NamedTensors, dtype: "F32" | "BF16" = "F32"): Uint8Array<ArrayBuffer> {
  const entries = Array.from(tensors, ([name, { shape, data }]): readonly [string, NamedTensorData] => [
    name,
    { dtype, shape, data: dtype === "F32" ? data : Uint16Array.from(data, f32ToBf16Bits) },
  ]);
  return buildSafetensors(Object.fromEntries(entries), { format: "pt" });
}
