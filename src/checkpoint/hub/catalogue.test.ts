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
    for (const form of forms) {
      expect(catalogueModel(parseHubAddress(form.address).repository)).toBe(model);
      const stored = form.kind === "gguf" ? form.bitsPerWeight : 16;
      expect((form.downloadBytes * 8) / parameters / stored).toBeCloseTo(1, 1);
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
