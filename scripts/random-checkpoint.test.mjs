import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openCheckpoint } from "../src/checkpoint/checkpoint.ts";
import { toFloats } from "../src/checkpoint/floats.ts";
import { nodeFolder } from "../src/checkpoint/node/folder.ts";
import { parameterCount, parseModelSpec } from "../src/model/spec.ts";
import { allTensors, checkTensors, modelTensors } from "../src/model/tensor-names.ts";
import { checkpointTensors, R1_QWEN_1_5B, writeRandomCheckpoint } from "./random-checkpoint.mjs";

const small = { hidden_size: 96, intermediate_size: 50, num_attention_heads: 4, head_dim: 24, vocab_size: 333 };
const config = { ...R1_QWEN_1_5B, ...small, num_hidden_layers: 12 };
const folder = mkdtempSync(join(tmpdir(), "random-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));

const write = (name, options = {}) => {
  const path = join(folder, name);
  writeRandomCheckpoint({ folder: path, config, ...options });
  return readFileSync(join(path, "model.safetensors"));
};

describe("a checkpoint of random weights", () => {
  it("has the names and shapes of the real one, 1,777,088,000 parameters in all", () => {
    const wanted = allTensors(modelTensors(parseModelSpec(R1_QWEN_1_5B)));
    const made = checkpointTensors(R1_QWEN_1_5B);
    const byName = (tensors) => Object.fromEntries(tensors.map(({ name, shape }) => [name, shape]));
    expect(byName(made)).toEqual(byName(wanted));
    expect(made.map(({ name }) => name)).toEqual(wanted.map(({ name }) => name).toSorted());
    const count = made.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(count).toBe(parameterCount(parseModelSpec(R1_QWEN_1_5B)));
  });

  it("is a file that can be read, of normal values around 0 and norms of 1", async () => {
    write("a");
    const checkpoint = await openCheckpoint(nodeFolder(join(folder, "a")));
    checkTensors(checkpoint, allTensors(modelTensors(parseModelSpec(config))));
    const read = async (name) => toFloats(await checkpoint.read(name), "BF16");
    const moments = (values) => {
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const power = (n) => values.reduce((sum, v) => sum + (v - mean) ** n, 0) / values.length;
      return { mean, sd: Math.sqrt(power(2)), kurtosis: power(4) / power(2) ** 2 };
    };
    const embedding = moments(await read("model.embed_tokens.weight"));
    expect(Math.abs(embedding.mean)).toBeLessThan(5e-4);
    expect(embedding.sd).toBeCloseTo(0.02, 3);
    expect(embedding.kurtosis).toBeGreaterThan(2.7);
    expect(embedding.kurtosis).toBeLessThan(3.2);
    const down = moments(await read("model.layers.11.mlp.down_proj.weight"));
    expect(down.sd).toBeCloseTo(0.02 / Math.sqrt(24), 3);
    expect(new Set(await read("model.layers.3.input_layernorm.weight"))).toEqual(new Set([1]));
  });

  it("is the same for the same seed and another for another", () => {
    const first = write("b", { seed: 3 });
    expect(write("c", { seed: 3 }).equals(first)).toBe(true);
    const other = write("d", { seed: 4 });
    expect(other.byteLength).toBe(first.byteLength);
    let same = 0;
    for (let i = first.byteLength - 2000; i < first.byteLength; i++) if (first[i] === other[i]) same++;
    expect(same).toBeLessThan(1500);
  });
});
