import { describe, expect, it } from "vitest";
import { parseHubAddress } from "./address.ts";
import { CATALOGUE, catalogueModel, checkCatalogueConfig } from "./catalogue.ts";

describe("the catalogue", () => {
  it.each(CATALOGUE)("$name: has as many parameters as its sizes make, and addresses that can be read", (model) => {
    const { config, parameters, forms } = model;
    const { hidden_size: hidden, num_key_value_heads: kvHeads, num_attention_heads: heads } = config;
    const kv = (kvHeads * hidden) / heads;
    const bias = config.architectures === "Qwen2ForCausalLM" ? hidden + 2 * kv : 0;
    const layer = 2 * hidden * hidden + 2 * kv * hidden + bias + 3 * hidden * config.intermediate_size + 2 * hidden;
    // The output projection of each is a matrix of its own.
    expect(parameters).toBe(2 * config.vocab_size * hidden + config.num_hidden_layers * layer + hidden);
    // Embeddings are in no ONNX export quantized, and in f32 unless the graph computes in f16; scales likewise.
    const embedding = (config.vocab_size * hidden) / parameters;
    const bits: Readonly<Record<string, number>> = {
      Q4_K_M: 4.95,
      Q8_0: 8.5,
      "bf16 → q4": 16,
      "bf16 → q8": 16,
      q4f16: 4.5 + embedding * 11.5,
      q4: 5 + embedding * 27,
    };
    for (const form of forms) {
      const address = parseHubAddress(form.address);
      expect(catalogueModel(address.repository)).toBe(model);
      expect(address.file).toBe(form.kind === "safetensors" ? undefined : form.file);
      expect(address.revision).toMatch(/^(main|[0-9a-f]{40})$/);
      expect(form.sha256 ?? "0".repeat(64)).toMatch(/^[0-9a-f]{64}$/);
      expect((form.downloadBytes * 8) / parameters / (bits[form.quantization] ?? 0)).toBeCloseTo(1, 1);
    }
  });

  it("holds a config.json to what it says", () => {
    const [model] = CATALOGUE;
    const config = { ...model?.config, architectures: ["Qwen2ForCausalLM"], extra: true };
    const repository = "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B";
    checkCatalogueConfig(repository, config);
    checkCatalogueConfig("owner/other", undefined);
    const wrong = (value: unknown) => () => checkCatalogueConfig(repository, value);
    expect(wrong({ ...config, rope_theta: 1e6 })).toThrow(
      /rope_theta: found "1000000"; DeepSeek-R1-Distill-Qwen-1\.5B has 10000$/,
    );
    for (const value of [{}, undefined, null, [], { ...config, architectures: ["LlamaForCausalLM"] }]) {
      expect(wrong(value)).toThrow(expect.objectContaining({ code: "E_CONFIG" }));
    }
  });
});
