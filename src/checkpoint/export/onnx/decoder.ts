import type { ExportModel } from "../model.ts";
import type { OnnxGraph, OnnxInitializer, OnnxNode, OnnxValue } from "./graph.ts";
import { ONNX_TYPES } from "./graph.ts";
import { floats, integers, rotaryCache, transposed } from "./initializers.ts";
import { BLOCK, quantized } from "./quantized.ts";

/** What matrices are stored in. The arithmetic is f32 with each; q4 has its own product, f16 is turned back on loading. */
export type OnnxWeights = "f32" | "f16" | "q4";

const CONTRIB = "com.microsoft";
const EMBEDDING = "model.embed_tokens.weight";
const HEAD = "lm_head.weight";
const COS = "cos_cache";
const SIN = "sin_cache";

/**
 * The decoder of Qwen2 and Llama in ONNX Runtime's contrib operators, with inputs and outputs named as in
 * onnx-community's exports: `input_ids`, `attention_mask`, `position_ids`, `past_key_values.{i}.{key,value}` in,
 * `logits` [batch, sequence, vocab], `present.{i}.{key,value}` out, all f32. As there, prompts of different lengths
 * are padded on the right.
 */
export function decoderGraph(model: ExportModel, weights: OnnxWeights = "f32"): OnnxGraph {
  const { spec } = model;
  const builder = new DecoderBuilder(model, weights);
  const layers = Array.from({ length: spec.layers }, (_, i) => i);
  const cache = (prefix: string, length: string): OnnxValue[] =>
    layers.flatMap((i) =>
      ["key", "value"].map((part): OnnxValue => ({
        name: `${prefix}.${i}.${part}`,
        type: "float",
        shape: ["batch_size", spec.kvHeads, length, spec.headDim],
      })),
    );
  builder.build();
  return {
    nodes: builder.nodes,
    initializers: builder.initializers,
    inputs: [
      { name: "input_ids", type: "int64", shape: ["batch_size", "sequence_length"] },
      { name: "attention_mask", type: "int64", shape: ["batch_size", "total_sequence_length"] },
      { name: "position_ids", type: "int64", shape: ["batch_size", "sequence_length"] },
      ...cache("past_key_values", "past_sequence_length"),
    ],
    outputs: [
      { name: "logits", type: "float", shape: ["batch_size", "sequence_length", spec.vocabSize] },
      ...cache("present", "total_sequence_length"),
    ],
  };
}

class DecoderBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[] = [];
  readonly #model: ExportModel;
  readonly #weights: OnnxWeights;
  readonly #shapes: ReadonlyMap<string, readonly number[]>;

  constructor(model: ExportModel, weights: OnnxWeights) {
    this.#model = model;
    this.#weights = weights;
    this.#shapes = new Map(model.tensors.map(({ name, shape }) => [name, shape]));
  }

  build(): void {
    const { spec, frequencies } = this.#model;
    this.#lengths();
    const positions = spec.maxPositions;
    this.initializers.push(
      rotaryCache(COS, Math.cos, frequencies, positions),
      rotaryCache(SIN, Math.sin, frequencies, positions),
    );
    let residual = this.#add("Gather", "/model/embed_tokens", [this.#embedding(), "input_ids"]);
    let normed = this.#node({
      operator: "SimplifiedLayerNormalization",
      name: "/model/layers.0/input_layernorm",
      inputs: [residual, this.#plain("model.layers.0.input_layernorm.weight")],
      ints: { axis: -1, stash_type: 1 },
      floats: { epsilon: spec.rmsNormEps },
    });
    for (let layer = 0; layer < spec.layers; layer++) {
      const at = `model.layers.${layer}`;
      const attended = this.#attention(layer, normed);
      [normed, residual] = this.#skipNorm(`${at}.post_attention_layernorm`, residual, attended);
      const fed = this.#feedForward(`${at}.mlp`, normed);
      const next = layer + 1 < spec.layers ? `model.layers.${layer + 1}.input_layernorm` : "model.norm";
      [normed, residual] = this.#skipNorm(next, residual, fed);
    }
    this.#head(normed);
  }

  /** What GroupQueryAttention asks of lengths: each row's last position, and the longest row. */
  #lengths(): void {
    this.initializers.push(integers("one", [1], [1]), integers("axis_1", [1], [1]), integers("index_1", [1]));
    const toInt32 = { to: ONNX_TYPES.int32 };
    const sum = this.#node({
      operator: "ReduceSum",
      name: "/mask/sum",
      inputs: ["attention_mask", "axis_1"],
      ints: { keepdims: 0 },
    });
    const last = this.#add("Sub", "/mask/last", [sum, "one"]);
    this.#node({ operator: "Cast", name: "/mask/seqlens_k", inputs: [last], ints: toInt32 });
    const shape = this.#add("Shape", "/mask/shape", ["attention_mask"]);
    const total = this.#add("Gather", "/mask/length", [shape, "index_1"]);
    this.#node({ operator: "Cast", name: "/mask/total_sequence_length", inputs: [total], ints: toInt32 });
  }

  #attention(layer: number, input: string): string {
    const { heads, kvHeads } = this.#model.spec;
    const at = `model.layers.${layer}.self_attn`;
    const [q, k, v] = ["q_proj", "k_proj", "v_proj"].map((part) => this.#linear(`${at}.${part}`, input));
    const rotated = [
      { part: "q_rotary", projected: q, count: heads },
      { part: "k_rotary", projected: k, count: kvHeads },
    ].map(({ part, projected = "", count }) =>
      this.#node({
        operator: "RotaryEmbedding",
        domain: CONTRIB,
        name: `/${at}/${part}`,
        inputs: [projected, "position_ids", COS, SIN],
        ints: { interleaved: 0, num_heads: count, rotary_embedding_dim: 0 },
      }),
    );
    const output = `/${at}/GroupQueryAttention`;
    this.nodes.push({
      operator: "GroupQueryAttention",
      domain: CONTRIB,
      name: output,
      inputs: [
        ...rotated,
        v ?? "",
        ...["key", "value"].map((part) => `past_key_values.${layer}.${part}`),
        "/mask/seqlens_k/output_0",
        "/mask/total_sequence_length/output_0",
      ],
      outputs: [`${output}/output_0`, ...["key", "value"].map((part) => `present.${layer}.${part}`)],
      ints: { num_heads: heads, kv_num_heads: kvHeads, do_rotary: 0 },
    });
    return this.#linear(`${at}.o_proj`, `${output}/output_0`);
  }

  #feedForward(at: string, input: string): string {
    const gate = this.#linear(`${at}.gate_proj`, input);
    const up = this.#linear(`${at}.up_proj`, input);
    const sigmoid = this.#add("Sigmoid", `/${at}/act_fn/Sigmoid`, [gate]);
    const silu = this.#add("Mul", `/${at}/act_fn/Mul`, [gate, sigmoid]);
    return this.#linear(`${at}.down_proj`, this.#add("Mul", `/${at}/Mul`, [silu, up]));
  }

  /** @returns the norm of the sum, and the sum */
  #skipNorm(at: string, residual: string, branch: string): [string, string] {
    const name = `/${at}/SkipLayerNorm`;
    const outputs: [string, string] = [`${name}/output_0`, `${name}/output_3`];
    this.nodes.push({
      operator: "SkipSimplifiedLayerNormalization",
      domain: CONTRIB,
      name,
      inputs: [residual, branch, this.#plain(`${at}.weight`)],
      // The last norm's sum goes nowhere; the runtime drops it.
      outputs: [outputs[0], "", "", outputs[1]],
      floats: { epsilon: this.#model.spec.rmsNormEps },
    });
    return outputs;
  }

  #linear(at: string, input: string): string {
    const product = `/${at}/MatMul/output_0`;
    this.#product(`/${at}/MatMul`, `${at}.weight`, input, product);
    const bias = `${at}.bias`;
    return this.#shapes.has(bias) ? this.#add("Add", `/${at}/Add`, [product, this.#plain(bias)]) : product;
  }

  /** input · weightᵀ */
  #product(name: string, weight: string, input: string, output: string): void {
    const { checkpoint } = this.#model;
    const tensor = { name: weight, shape: this.#shapeOf(weight) };
    const outputs = [output];
    if (this.#weights === "q4") {
      const { weights, scales } = quantized(checkpoint, tensor);
      const [rows = 0, columns = 0] = tensor.shape;
      this.nodes.push({
        operator: "MatMulNBits",
        domain: CONTRIB,
        name,
        inputs: [input, this.#keep(weights).name, this.#keep(scales).name],
        outputs,
        ints: { K: columns, N: rows, bits: 4, block_size: BLOCK },
      });
      return;
    }
    const matrix = this.#keep(transposed(checkpoint, tensor, this.#weights === "f16" ? "F16" : "F32"));
    this.nodes.push({ operator: "MatMul", name, inputs: [input, this.#asFloats(matrix.name)], outputs });
  }

  #embedding(): string {
    const tensor = { name: EMBEDDING, shape: this.#shapeOf(EMBEDDING) };
    return this.#asFloats(
      this.#keep(floats(this.#model.checkpoint, tensor, this.#weights === "f16" ? "F16" : "F32")).name,
    );
  }

  /** The runtime turns f16 back once, while loading. */
  #asFloats(name: string): string {
    if (this.#weights !== "f16") return name;
    return this.#node({ operator: "Cast", name: `/${name}/Cast`, inputs: [name], ints: { to: ONNX_TYPES.float } });
  }

  #head(normed: string): void {
    const tied = this.#model.spec.tiedEmbeddings;
    if (!tied || this.#weights === "q4") {
      this.#product("/lm_head", tied ? EMBEDDING : HEAD, normed, "logits");
      return;
    }
    // The runtime turns the embedding once while loading, and the file holds it once.
    const embedding = this.#weights === "f16" ? `/${EMBEDDING}/Cast/output_0` : EMBEDDING;
    const name = "/lm_head/Transpose";
    const head = this.#node({ operator: "Transpose", name, inputs: [embedding], ints: { perm: [1, 0] } });
    this.nodes.push({ name: "/lm_head", operator: "MatMul", inputs: [normed, head], outputs: ["logits"] });
  }

  #plain(name: string): string {
    return this.#keep(floats(this.#model.checkpoint, { name, shape: this.#shapeOf(name) })).name;
  }

  #shapeOf(name: string): readonly number[] {
    return this.#shapes.get(name) ?? [];
  }

  #keep(initializer: OnnxInitializer): OnnxInitializer {
    this.initializers.push(initializer);
    return initializer;
  }

  #add(operator: string, name: string, inputs: readonly string[]): string {
    return this.#node({ operator, name, inputs });
  }

  #node(node: Omit<OnnxNode, "outputs">): string {
    const output = `${node.name}/output_0`;
    this.nodes.push({ ...node, outputs: [output] });
    return output;
  }
}
