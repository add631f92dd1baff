import { describe, expect, it } from "vitest";
import { createTokenizer } from "../../text/tokenizer.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { nodeFolder } from "../node/folder.ts";
import { dataPath, hasData, titleWithData } from "../node/test-data.ts";
import { readJson } from "../source.ts";
import { memoryFolder } from "../testing.ts";
import { modelFolder } from "./folder.ts";
import { buildGguf, TINY_METADATA } from "./testing.ts";
import type { WrittenTensor, WrittenValue } from "./write.ts";

type Changes = Readonly<Record<string, WrittenValue | undefined>>;

/** The tiny model's metadata, changed; undefined takes a key out. */
function metadata(changes: Changes = {}, from = TINY_METADATA): Map<string, WrittenValue> {
  const all = new Map(from);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) all.delete(key);
    else all.set(key, value);
  }
  return all;
}

function open(changes: Changes = {}, tensors: readonly (WrittenTensor & { data?: Uint8Array })[] = []) {
  return modelFolder(memoryFolder({ "tiny.gguf": buildGguf(metadata(changes), tensors) }), "tiny.gguf");
}

const EMBEDDING = { name: "token_embd.weight", dtype: "F32", shape: [8, 32] } as const;

describe("config.json of a GGUF model", () => {
  it("says what the metadata say", async () => {
    const folder = await open({}, [EMBEDDING]);
    expect(folder.name).toBe("tiny");
    await expect(readJson(folder, "config.json")).resolves.toEqual({
      architectures: ["Qwen2ForCausalLM"],
      model_type: "qwen2",
      vocab_size: 8,
      hidden_size: 32,
      intermediate_size: 48,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      num_key_value_heads: 1,
      head_dim: 16,
      rms_norm_eps: 2 ** -20,
      rope_theta: 10_000,
      hidden_act: "silu",
      tie_word_embeddings: true,
      max_position_embeddings: 64,
      eos_token_id: 5,
    });
    const untied = await open({}, [EMBEDDING, { name: "output.weight", dtype: "F32", shape: [8, 32] }]);
    await expect(readJson(untied, "config.json")).resolves.toMatchObject({ tie_word_embeddings: false });
  });

  it("scales positions", async () => {
    const linear = {
      "qwen2.rope.scaling.type": ["string", "linear"],
      "qwen2.rope.scaling.factor": ["f32", 4],
    } as const;
    await expect(readJson(await open(linear), "config.json")).resolves.toMatchObject({
      rope_scaling: { rope_type: "linear", factor: 4 },
    });
    const yarn = open({ "qwen2.rope.scaling.type": ["string", "yarn"] });
    await expect(readJson(await yarn, "config.json")).rejects.toMatchObject({ code: "E_CONFIG" });
  });

  it.each([
    [8, 8192],
    [32, 8192],
    [8, 64],
  ])("knows Llama 3's rotary factors: %i times, %i positions", async (factor, original) => {
    // The formula of transformers, once more.
    const factors = Float32Array.from({ length: 8 }, (_, pair) => {
      const wavelength = 2 * Math.PI * 10_000 ** (pair / 8);
      if (wavelength < original / 4) return 1;
      if (wavelength > original) return factor;
      const smooth = (original / wavelength - 1) / 3;
      return 1 / ((1 - smooth) / factor + smooth);
    });
    const tensor = (values: Float32Array) =>
      ({ name: "rope_freqs.weight", dtype: "F32", shape: [8], data: new Uint8Array(values.buffer) }) as const;
    const config = await readJson(await open({}, [tensor(factors)]), "config.json");
    expect(config).toMatchObject({
      rope_scaling: { rope_type: "llama3", factor, low_freq_factor: 1, high_freq_factor: 4 },
    });
    const { rope_scaling: scaling } = config as { rope_scaling: { original_max_position_embeddings: number } };
    expect(scaling.original_max_position_embeddings).toBe(original);
    factors[3] = 1.5 * (factors[3] ?? 0);
    await expect(readJson(await open({}, [tensor(factors)]), "config.json")).rejects.toMatchObject({
      code: "E_CONFIG",
    });
  });

  it("quotes what it found", async () => {
    const folder = await open({ "qwen2.block_count": ["string", `\u001b[31m${"x".repeat(5000)}`] });
    await expect(readJson(folder, "config.json")).rejects.toMatchObject({
      message: expect.stringMatching(/^\P{Cc}{0,300}$/u) as string,
    });
  });

  it.each([
    ["E_ARCHITECTURE", "another architecture", { "general.architecture": ["string", "gemma3"] }],
    ["E_CONFIG", "a mixture of experts", { "qwen2.expert_count": ["u32", 8] }],
    ["E_CONFIG", "no width", { "qwen2.embedding_length": undefined }],
    ["E_CONFIG", "a width that is text", { "qwen2.embedding_length": ["string", "32"] }],
    ["E_CONFIG", "a part of a head rotated", { "qwen2.rope.dimension_count": ["u32", 8] }],
  ] as const)("is refused with %s for %s", async (code, _, changes) => {
    await expect(readJson(await open(changes), "config.json")).rejects.toMatchObject({ code });
  });
});

describe("the tokenizer of a GGUF model", () => {
  it("merges, and knows added and special tokens", async () => {
    const folder = await open();
    const tokenizer = createTokenizer({
      tokenizerJson: await readJson(folder, "tokenizer.json"),
      tokenizerConfig: await readJson(folder, "tokenizer_config.json"),
      generationConfig: await readJson(folder, "generation_config.json"),
    });
    expect(tokenizer.encode("ab<think>ba c<end>")).toEqual([2, 6, 1, 0, 3, 4, 5]);
    expect([tokenizer.isSpecial(5), tokenizer.isSpecial(6), tokenizer.eosIds]).toEqual([true, false, [5]]);
    expect(tokenizer.decode([2, 3, 4])).toBe("ab c");
    await expect(readJson(folder, "tokenizer_config.json")).resolves.toEqual({
      eos_token: "<end>",
      add_bos_token: false,
      chat_template: "{{ messages[0].content }}",
    });
  });

  it("of sentencepiece merges by score, and falls back to bytes", async () => {
    const tokens = ["<unk>", "<s>", "</s>", "<0xE3>", "<0x81>", "<0x82>", "▁", "a", "b", "ab", "▁a", "▁ab"];
    const folder = await open({
      "tokenizer.ggml.model": ["string", "llama"],
      "tokenizer.ggml.pre": undefined,
      "tokenizer.ggml.merges": undefined,
      "tokenizer.ggml.tokens": ["strings", tokens],
      "tokenizer.ggml.token_type": ["i32s", [2, 3, 3, 6, 6, 6, 1, 1, 1, 1, 1, 1]],
      "tokenizer.ggml.scores": ["f32s", tokens.map((_, id) => -id)],
      "tokenizer.ggml.unknown_token_id": ["u32", 0],
      "tokenizer.ggml.bos_token_id": ["u32", 1],
    });
    const tokenizer = createTokenizer({ tokenizerJson: await readJson(folder, "tokenizer.json") });
    // "ab" scores higher than "▁a", so it is joined first.
    expect(tokenizer.encode("ab")).toEqual([11]);
    expect(tokenizer.encode("aあ")).toEqual([10, 3, 4, 5]);
    expect(tokenizer.decode([11, 3, 4, 5, 6, 8])).toBe("abあ b");
  });

  it.each([
    ["a kind that is not supported", { "tokenizer.ggml.model": ["string", "bert"] }],
    ["a pre-tokenizer that is not known", { "tokenizer.ggml.pre": ["string", "tekken"] }],
    ["no merges", { "tokenizer.ggml.merges": undefined }],
    ["scores for other tokens", { "tokenizer.ggml.model": ["string", "llama"] }],
    ["a unigram vocabulary without all bytes", { "tokenizer.ggml.model": ["string", "t5"] }],
  ] as const)("is refused for %s", async (_, changes) => {
    await expect(readJson(await open(changes), "tokenizer.json")).rejects.toMatchObject({ code: "E_TOKENIZER" });
  });

  it("may be missing", async () => {
    const folder = await open({ "tokenizer.ggml.model": ["string", "no_vocab"] });
    await expect(readJson(folder, "tokenizer.json")).resolves.toBeUndefined();
  });
});

describe("a GGUF model in parts", () => {
  const part = (number: number, count: number, tensors: readonly WrittenTensor[]) =>
    buildGguf(
      number === 0
        ? metadata({ "split.no": ["u32", 0], "split.count": ["u32", count], "split.tensors.count": ["i32", 2] })
        : new Map<string, WrittenValue>([
            ["split.no", ["u32", number]],
            ["split.count", ["u32", count]],
          ]),
      tensors,
    );
  const names = ["m-00001-of-00002.gguf", "m-00002-of-00002.gguf"] as const;
  const norm = { name: "output_norm.weight", dtype: "F32", shape: [32] } as const;
  const parts = { [names[0]]: part(0, 2, [EMBEDDING]), [names[1]]: part(1, 2, [norm]) };

  it.each(names)("opens whole by the name of any: %s", async (name) => {
    const folder = await modelFolder(memoryFolder(parts), name);
    const checkpoint = await openCheckpoint(folder);
    expect([...checkpoint.tensors.keys()]).toEqual(["model.embed_tokens.weight", "model.norm.weight"]);
    await expect(checkpoint.read("model.norm.weight", 0, 4)).resolves.toEqual(Uint8Array.of(1, 1, 1, 1));
    await expect(readJson(folder, "config.json")).resolves.toMatchObject({ vocab_size: 8 });
  });

  const BROKEN: readonly (readonly [string, string, Readonly<Record<string, Uint8Array>>])[] = [
    ["E_FILE_MISSING", "a part that is not there", { [names[0]]: parts[names[0]] }],
    ["E_FORMAT", "another model's part", { ...parts, [names[1]]: part(1, 3, [norm]) }],
    ["E_FORMAT", "a part twice", { ...parts, [names[1]]: parts[names[0]] }],
    ["E_FORMAT", "fewer tensors than the first part says", { ...parts, [names[1]]: part(1, 2, []) }],
  ];

  it.each(BROKEN)("is refused with %s for %s", async (code, _, files) => {
    await expect(modelFolder(memoryFolder(files), names[0])).rejects.toMatchObject({ code });
  });
});

describe("reading a GGUF model", () => {
  it("stops when asked to, in headers and in data", async () => {
    const bytes = buildGguf(TINY_METADATA, [EMBEDDING]);
    const aborted = AbortSignal.abort();
    const opening = modelFolder(memoryFolder({ "x.gguf": bytes }), "x.gguf", aborted);
    await expect(opening).rejects.toMatchObject({ code: "E_ABORTED" });
    const folder = await modelFolder(memoryFolder({ "x.gguf": bytes }), "x.gguf");
    const reading = folder.checkpoint?.read("model.embed_tokens.weight", 0, 4, aborted);
    await expect(reading).rejects.toMatchObject({ code: "E_ABORTED" });
    await expect(folder.open("config.json", aborted)).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("asks which of several models is meant, unless one is in Hugging Face's layout", async () => {
    const bytes = buildGguf(TINY_METADATA, []);
    const listed = (files: Record<string, Uint8Array>) => ({
      ...memoryFolder(files),
      list: async () => Object.keys(files),
    });
    await expect(modelFolder(listed({ "a.gguf": bytes, "b.gguf": bytes }))).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringContaining('"a.gguf", "b.gguf"') as string,
    });
    expect((await modelFolder(listed({ "a.gguf": bytes }))).name).toBe("a");
    const layout = listed({ "a.gguf": bytes, "model.safetensors": bytes });
    await expect(modelFolder(layout)).resolves.toBe(layout);
  });

  it.skipIf(!hasData("checkpoints/stories260K"))(
    titleWithData("turns q and k back into Hugging Face's order", "checkpoints/stories260K"),
    async () => {
      const gguf = await modelFolder(nodeFolder(dataPath("checkpoints/stories260K/gguf")), "stories260K-F32.gguf");
      const twin = await openCheckpoint(nodeFolder(dataPath("checkpoints/stories260K/hf")));
      for (const name of twin.tensors.keys())
        expect(await gguf.checkpoint?.read(name), name).toEqual(await twin.read(name));
      // A slab may begin and end within a head.
      const name = "model.layers.1.self_attn.k_proj.weight";
      expect(await gguf.checkpoint?.read(name, 3 * 256, 5 * 256)).toEqual(await twin.read(name, 3 * 256, 5 * 256));
    },
  );
});
