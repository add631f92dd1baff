import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decoderGraph } from "../checkpoint/export/onnx/decoder.ts";
import { onnxModel } from "../checkpoint/export/onnx/graph.ts";
import type { OnnxGraph, OnnxInitializer, OnnxNode } from "../checkpoint/export/onnx/graph.ts";
import { protoChunks, protoSize } from "../checkpoint/export/onnx/proto.ts";
import { exportedBytes } from "../checkpoint/export/testing.ts";
import { fuzzRuns, fuzzTimeout } from "../checkpoint/node/fuzz-runs.ts";
import { readOnnxModel } from "../checkpoint/onnx/model.ts";
import { isR1Error } from "../errors.ts";
import { noise } from "../kernels/testing.ts";
import { openExportModel } from "../model/export-model.ts";
import { memoryFolder, randomTensors } from "../model/testing.ts";
import { parseModelSpec } from "../model/spec.ts";
import type { ModelSpec } from "../model/spec.ts";
import { ortFailure } from "./failure.ts";
import { cacheShapeOf } from "./graph-inputs.ts";

const CONFIG = {
  architectures: ["Qwen2ForCausalLM"],
  hidden_act: "silu",
  hidden_size: 32,
  intermediate_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  head_dim: 16,
  vocab_size: 11,
  max_position_embeddings: 8,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: false,
};
const FILE = "onnx/model.onnx";

/** No graph of this size takes a second; what takes this long has hung. */
const HANG_MS = 60_000;

/** What became of a mutated graph. */
type Outcome = "refused by us" | "refused by ONNX Runtime" | "stopped ONNX Runtime" | "ran";

let spec: ModelSpec;
const graphs: OnnxGraph[] = [];
const files: Uint8Array<ArrayBuffer>[] = [];
beforeAll(async () => {
  const model = await openExportModel(memoryFolder(CONFIG, randomTensors(CONFIG)));
  spec = parseModelSpec(CONFIG);
  for (const weights of ["f32", "f16", "q4"] as const) {
    const graph = decoderGraph(model, weights);
    graphs.push(graph);
    files.push(await encoded(graph));
  }
});

async function encoded(graph: OnnxGraph): Promise<Uint8Array<ArrayBuffer>> {
  const parts = onnxModel(graph);
  return exportedBytes({ path: FILE, size: protoSize(parts), chunks: (signal) => protoChunks(parts, signal) });
}

/** ONNX Runtime in a thread that can be ended. */
class Victim {
  #worker: Worker | undefined;
  started = 0;

  async load(message: object): Promise<{ said?: string; failed?: string; isError?: boolean; isTrap?: boolean }> {
    if (!this.#worker) {
      this.started++;
      this.#worker = new Worker(new URL("testing-ort-worker.mjs", import.meta.url));
      await this.#answer(this.#worker);
    }
    const answer = this.#answer(this.#worker);
    this.#worker.postMessage(message);
    return answer;
  }

  async end(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = undefined;
  }

  #answer(worker: Worker): Promise<object> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error("ONNX Runtime hangs"))), HANG_MS);
      const onExit = (code: number): void =>
        settle(() => reject(new Error(`ONNX Runtime's thread ended with ${code}`)));
      const onMessage = (said: object): void => settle(() => resolve(said));
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        worker.off("exit", onExit).off("error", reject).off("message", onMessage);
        then();
      };
      worker.once("exit", onExit).once("error", reject).once("message", onMessage);
    });
  }
}

const victim = new Victim();
afterAll(() => victim.end());
const outcomes = new Map<string, number>();
const slowest = { ms: 0 };

/** As the loader treats a graph, and then ONNX Runtime. @returns what became of it */
async function check(bytes: Uint8Array<ArrayBuffer>): Promise<Outcome> {
  let cache: ReturnType<typeof cacheShapeOf>;
  const begin = performance.now();
  try {
    const summary = readOnnxModel(bytes, FILE);
    cache = cacheShapeOf(summary, spec, FILE);
    // Data in other files are not there.
    if (summary.external.length > 0) return "refused by us";
  } catch (error) {
    if (!isR1Error(error) || error.code === "E_INTERNAL") throw error;
    expect(error.message.startsWith(`${FILE}: `)).toBe(true);
    expect(error.message.length).toBeLessThan(1000);
    expect(error.message).not.toMatch(/\p{Cc}/u);
    return "refused by us";
  } finally {
    expect(performance.now() - begin).toBeLessThan(5000);
  }
  const { kvHeads, headDim } = spec;
  const asked = performance.now();
  const { failed, isError, isTrap } = await victim.load({ graph: bytes, external: [], cache, kvHeads, headDim });
  slowest.ms = Math.max(slowest.ms, performance.now() - asked);
  if (failed === undefined) return "ran";
  const cause = isTrap ? new WebAssembly.RuntimeError(failed) : isError ? new Error(failed) : failed;
  const error = ortFailure(cause, "E_FORMAT", `${FILE}: ONNX Runtime cannot load it`);
  expect(error.message).not.toMatch(/\p{Cc}/u);
  if (error.details["restart"] !== true) return "refused by ONNX Runtime";
  // The page starts another worker.
  await victim.end();
  return "stopped ONNX Runtime";
}

/** Whole numbers from 0 to below `most`. */
type Pick = (most: number) => number;

function picker(seed: number): Pick {
  const next = noise(seed);
  return (most) => Math.min(most - 1, Math.floor(((next() + 1) / 2) * most));
}

const WORDS = [
  0,
  1,
  -1,
  2,
  7,
  8,
  127,
  128,
  255,
  2 ** 16,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 53,
  2 ** 62,
  -(2 ** 62),
];
const OPERATORS = [
  "ConstantOfShape", "Expand", "Tile", "Range", "Loop", "Scan", "If", "Reshape", "Concat", "Gather", "GatherND", "ScatterND",
  "Transpose", "MatMul", "Gemm", "Einsum", "Resize", "Pad", "Slice", "Split", "OneHot", "TopK", "NonZero", "CumSum", "Conv",
  "Softmax", "LSTM", "RandomNormal", "RandomNormalLike", "EyeLike", "SequenceConstruct", "Identity", "Squeeze", "Unsqueeze", "Cast",
  "DequantizeLinear", "QuantizeLinear", "MatMulNBits", "GroupQueryAttention", "RotaryEmbedding", "MultiHeadAttention",
  "SkipSimplifiedLayerNormalization", "GatherBlockQuantized", "Attention", "BiasGelu", "LayerNormalization", "Trilu", "Shape", "Size", "",
]; // prettier-ignore

type Mutation<T> = (subject: T, pick: Pick) => T;

const one = <T>(list: readonly T[], pick: Pick): T => list[pick(list.length)] as T;
const changed = <T>(list: readonly T[], pick: Pick, change: (value: T) => T): T[] => {
  const at = pick(list.length);
  return list.map((value, i) => (i === at ? change(value) : value));
};
const onNodes =
  (change: (node: OnnxNode, graph: OnnxGraph, pick: Pick) => OnnxNode): Mutation<OnnxGraph> =>
  (graph, pick) => ({
    ...graph,
    nodes: changed(graph.nodes, pick, (node) => change(node, graph, pick)),
  });
const onTensors =
  (change: (tensor: OnnxInitializer, pick: Pick) => OnnxInitializer): Mutation<OnnxGraph> =>
  (graph, pick) => ({
    ...graph,
    initializers: changed(graph.initializers, pick, (tensor) => change(tensor, pick)),
  });
const values = (graph: OnnxGraph): string[] => [
  ...graph.initializers.map(({ name }) => name),
  ...graph.inputs.map(({ name }) => name),
  ...graph.nodes.flatMap(({ outputs }) => outputs),
];

/** A tensor whose data are as many as its type and shape say. */
function filled(name: string, type: OnnxInitializer["type"], shape: readonly number[], pick: Pick): OnnxInitializer {
  const sizes = { float: 4, uint8: 1, int32: 4, int64: 8, float16: 2 };
  const bytes = new Uint8Array(shape.reduce((a, b) => a * b, 1) * sizes[type]);
  const view = new DataView(bytes.buffer);
  if (type === "int64") for (let i = 0; i < bytes.length; i += 8) view.setBigInt64(i, BigInt(one(WORDS, pick)), true);
  else for (let i = 0; i < bytes.length; i++) bytes[i] = pick(256);
  return { name, type, shape, data: { size: bytes.length, chunks: async function* () { yield bytes; } } }; // prettier-ignore
}

/** Well-formed protobuf whose values are wrong. */
const STRUCTURED: Readonly<Record<string, Mutation<OnnxGraph>>> = {
  "another operator": onNodes((node, _, pick) => ({ ...node, operator: one(OPERATORS, pick), ...(pick(2) ? {} : { domain: one(["", "com.microsoft", "x"], pick) }) })),
  "another input": onNodes((node, graph, pick) => ({ ...node, inputs: changed(node.inputs, pick, () => one([...values(graph), "", "none"], pick)) })),
  "fewer or more inputs": onNodes((node, graph, pick) => ({ ...node, inputs: pick(2) ? node.inputs.slice(0, pick(node.inputs.length + 1)) : [...node.inputs, ...Array.from({ length: 1 + pick(20) }, () => one(values(graph), pick))] })),
  "another output": onNodes((node, graph, pick) => ({ ...node, outputs: pick(2) ? changed(node.outputs, pick, () => one(values(graph), pick)) : [...node.outputs, `more${pick(9)}`] })),
  "other attributes": onNodes((node, _, pick) => {
    const ints = Object.keys(node.ints ?? {});
    const key = one([...ints, "axis", "to", "perm", "bits", "block_size", "num_heads", "kv_num_heads", "K", "N", "rotary_embedding_dim", "keepdims", "transA"], pick);
    return { ...node, ints: { ...node.ints, [key]: pick(4) ? one(WORDS, pick) : Array.from({ length: pick(5) }, () => one(WORDS, pick)) } };
  }),
  "other floats": onNodes((node, _, pick) => ({ ...node, floats: { epsilon: one([0, -1, 1e30, NaN, Infinity], pick), scale: one([0, NaN, 1e38], pick) } })),
  "other sizes": onTensors((tensor, pick) => ({ ...tensor, shape: pick(2) ? changed(tensor.shape, pick, () => one(WORDS, pick)) : tensor.shape.toReversed() })),
  "another type": onTensors((tensor, pick) => ({ ...tensor, type: one(["float", "uint8", "int32", "int64", "float16"], pick) })),
  "another tensor in its place": onTensors(({ name, shape, type }, pick) =>
    filled(name, pick(2) ? type : one(["float", "uint8", "int32", "int64", "float16"], pick), pick(2) ? shape.toReversed() : Array.from({ length: pick(5) }, () => one([0, 1, 2, 3, 16, 32], pick)), pick)),
  "wild numbers": onTensors(({ name, shape, type }, pick) => filled(name, type, shape, pick)),
  "a missing tensor": (graph, pick) => ({ ...graph, initializers: graph.initializers.toSpliced(pick(graph.initializers.length), 1) }),
  "a missing node": (graph, pick) => ({ ...graph, nodes: graph.nodes.toSpliced(pick(graph.nodes.length), 1) }),
  "a repeated node": (graph, pick) => ({ ...graph, nodes: [...graph.nodes, one(graph.nodes, pick)] }),
  "nodes in another order": (graph) => ({ ...graph, nodes: graph.nodes.toReversed() }),
  "other inputs": (graph, pick) => ({ ...graph, inputs: changed(graph.inputs, pick, (value) => ({ ...value, ...(pick(2) ? { shape: changed(value.shape, pick, () => one([...WORDS, "batch_size"], pick)) } : { type: one(["float", "int64", "float16"], pick) }) })) }),
  "other outputs": (graph, pick) => ({ ...graph, outputs: changed(graph.outputs, pick, (value) => ({ ...value, ...(pick(2) ? { shape: [] } : { name: one(values(graph), pick) }) })) }),
  // A few bytes that ask for much, as constants that are folded while a model is loaded.
  "a bomb": (graph, pick) => {
    const operator = one(["ConstantOfShape", "Expand", "Tile", "Range", "RandomNormal", "OneHot", "Pad", "Resize", "EyeLike"], pick);
    const sizes = filled("bomb_shape", "int64", [1 + pick(4)], (most) => Math.max(5, pick(most)));
    const ints = operator === "RandomNormal" ? { shape: [one(WORDS, pick), one(WORDS, pick)] } : {};
    const inputs = operator === "ConstantOfShape" ? ["bomb_shape"] : operator === "RandomNormal" ? [] : ["one", "bomb_shape", ...(operator === "Range" || operator === "OneHot" ? ["one"] : [])];
    return {
      ...graph,
      initializers: [...graph.initializers, sizes],
      nodes: [...graph.nodes, { operator, name: "bomb", inputs, outputs: ["bomb"], ints }, { operator: "Shape", name: "fuse", inputs: ["bomb"], outputs: ["fuse"] }],
      outputs: [...graph.outputs, { name: pick(2) ? "bomb" : "fuse", type: pick(2) ? "int64" : "float", shape: ["any"] }],
    };
  },
}; // prettier-ignore

/** Bytes that are changed without knowing what they mean. */
const RAW: Readonly<Record<string, Mutation<Uint8Array<ArrayBuffer>>>> = {
  "flipped bits": (file, pick) => {
    const bytes = file.slice();
    for (let i = pick(6); i >= 0; i--) {
      const at = pick(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(8));
    }
    return bytes;
  },
  "other bytes": (file, pick) => {
    const bytes = file.slice();
    for (let i = pick(4); i >= 0; i--) bytes[pick(bytes.length)] = one([0, 1, 8, 10, 18, 127, 128, 255], pick);
    return bytes;
  },
  "cut off": (file, pick) => file.slice(0, pick(file.length)),
  "pieces cut out, and put in": (file, pick) => {
    const at = pick(file.length);
    const piece = file.slice(pick(file.length)).subarray(0, pick(40));
    return Uint8Array.of(...file.subarray(0, at), ...piece, ...file.subarray(at + pick(40)));
  },
  "anything": (_, pick) => Uint8Array.from({ length: pick(300) }, () => pick(256)),
}; // prettier-ignore

describe("a mutated ONNX graph is refused with a sentence, or runs", () => {
  const runs = fuzzRuns(400);

  it("as it is, it runs", async () => {
    for (const file of files) expect(await check(file)).toBe("ran");
  });

  it(
    `${runs} times`,
    async () => {
      const kinds = [...Object.keys(STRUCTURED), ...Object.keys(RAW)];
      for (let run = 0; run < runs; run++) {
        const pick = picker(run + 1);
        const kind = kinds[run % kinds.length] ?? "";
        const at = pick(files.length);
        const structured = STRUCTURED[kind];
        const raw = RAW[kind];
        let bytes = files[at] ?? new Uint8Array();
        if (structured) {
          let graph = graphs[at] ?? expect.fail("no graph");
          for (let times = 1 + pick(2); times > 0; times--) graph = structured(graph, pick);
          bytes = await encoded(graph);
        } else if (raw) bytes = raw(bytes, pick);
        try {
          const outcome = await check(bytes);
          const key = `${kind}: ${outcome}`;
          outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
        } catch (cause) {
          await victim.end();
          throw new Error(`${kind}, run ${run}`, { cause });
        }
      }
      if (process.env["R1_FUZZ_RUNS"]) {
        const lines = Array.from(outcomes, ([key, times]) => `${key}: ${times}`).toSorted((x, y) => (x < y ? -1 : 1));
        const threads = `${victim.started} threads; the slowest graph took ${Math.round(slowest.ms)} ms`;
        process.stdout.write(`${[...lines, threads].join("\n")}\n`);
      }
      const count = (outcome: Outcome): number =>
        [...outcomes].reduce((sum, [key, times]) => sum + (key.endsWith(outcome) ? times : 0), 0);
      // Both readers were reached.
      expect(count("refused by us")).toBeGreaterThan(runs / 10);
      expect(count("refused by ONNX Runtime") + count("ran")).toBeGreaterThan(runs / 10);
    },
    fuzzTimeout(runs) + HANG_MS,
  );
});
