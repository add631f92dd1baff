import { describe, expect, it } from "vitest";
import { isR1Error } from "../../errors.ts";
import { intField, messageField, textField } from "../export/onnx/proto.ts";
import type { Proto } from "../export/onnx/proto.ts";
import { hasData, readData, titleWithData } from "../node/test-data.ts";
import { readOnnxModel } from "./model.ts";
import { buildOnnx, graphAttribute, graphFields, nodeFields, protoBytes } from "./testing.ts";
import type { WrittenNode, WrittenOnnx, WrittenTensor } from "./testing.ts";

const FLOAT = 1;
const INT64 = 7;

/** y = w · x, as small as a graph can be. */
const VALID: WrittenOnnx = {
  nodes: [{ operator: "MatMul", name: "product", inputs: ["x", "w"], outputs: ["y"] }],
  tensors: [{ name: "w", type: FLOAT, dims: [2, 3], raw: new Uint8Array(24) }],
  inputs: [{ name: "x", type: FLOAT, shape: ["batch", 2] }],
  outputs: [{ name: "y", type: FLOAT, shape: ["batch", 3] }],
};

const tensor = (changes: Partial<WrittenTensor>): WrittenOnnx => ({
  ...VALID,
  tensors: [{ name: "w", type: FLOAT, dims: [2, 3], raw: new Uint8Array(24), ...changes }],
});
const external = (changes: Readonly<Record<string, string>>): WrittenOnnx => ({
  ...VALID,
  tensors: [{ name: "w", type: FLOAT, dims: [2, 3], external: { location: "w.data", ...changes } }],
});
const nodes = (...list: WrittenNode[]): WrittenOnnx => ({ ...VALID, nodes: [...(VALID.nodes ?? []), ...list] });
const relu = (from: string, to: string): WrittenNode => ({ operator: "Relu", name: to, inputs: [from], outputs: [to] });

/** A FunctionProto that calls others. */
function func(name: string, calls: readonly string[]): Proto {
  if (calls.length === 0) return functionOf(name, [relu("a", "b")]);
  const inner = calls.map((call, i) => ({
    operator: call,
    domain: "own",
    inputs: [i === 0 ? "a" : `v${i - 1}`],
    outputs: [i === calls.length - 1 ? "b" : `v${i}`],
  }));
  return functionOf(name, inner);
}

function functionOf(name: string, inner: readonly WrittenNode[]): Proto {
  return messageField(25, [
    ...textField(1, name),
    ...textField(4, "a"),
    ...textField(5, "b"),
    ...inner.flatMap((node) => messageField(7, nodeFields(node))),
    ...textField(10, "own"),
  ]);
}

const calls = (name: string, ...functions: Proto[]): WrittenOnnx => ({
  ...nodes({ operator: name, domain: "own", name: "call", inputs: ["y"], outputs: ["z"] }),
  opsets: [
    ["", 21],
    ["own", 1],
  ],
  model: functions.flat(),
});

/** Subgraphs within subgraphs, each the one node's of the one around it; built from the inside, without recursion. */
function nested(depth: number): WrittenOnnx {
  let graph = graphFields({});
  for (let i = 0; i < depth; i++) {
    const attribute = [...textField(1, "then_branch"), ...messageField(6, graph), ...intField(20, 5)];
    graph = [protoBytes(messageField(1, nodeFields({ operator: "If", attributes: [attribute] })))];
  }
  return { ...VALID, graph };
}

const REFUSED: readonly (readonly [what: string, model: WrittenOnnx, code: string, message: RegExp])[] = [
  // Tensors
  [
    "too few bytes",
    tensor({ raw: new Uint8Array(20) }),
    "E_TENSOR_OFFSETS",
    /tensor "w" raw_data: found 20 bytes; dims \[2,3\] of float are 24/,
  ],
  ["too many bytes", tensor({ raw: new Uint8Array(28) }), "E_TENSOR_OFFSETS", /found 28 bytes/],
  ["no values", tensor({ raw: undefined }), "E_TENSOR_OFFSETS", /found no values/],
  ["a negative size", tensor({ dims: [-2, 3] }), "E_TENSOR_INFO", /dims: found -2/],
  ["a size beyond numbers", tensor({ dims: [2 ** 62, 3] }), "E_TENSOR_INFO", /dims: found/],
  [
    "sizes that multiply beyond memory",
    tensor({ dims: [2 ** 20, 2 ** 20] }),
    "E_TENSOR_INFO",
    /the limit is 4294967296/,
  ],
  [
    "sizes that multiply beyond numbers",
    tensor({ dims: Array.from({ length: 60 }, () => 2 ** 50) }),
    "E_TENSOR_INFO",
    /the limit is/,
  ],
  ["a rank beyond all", tensor({ dims: Array.from({ length: 65 }, () => 1) }), "E_TENSOR_INFO", /more than 64 dims/],
  ["no type", tensor({ type: 0 }), "E_TENSOR_INFO", /data_type: found 0/],
  ["a type that is none", tensor({ type: 99 }), "E_TENSOR_INFO", /data_type: found 99/],
  ["another type's size", tensor({ type: INT64 }), "E_TENSOR_OFFSETS", /of int64 are 48/],
  ["strings as bytes", tensor({ type: 8 }), "E_TENSOR_INFO", /strings in raw_data/],
  [
    "values twice",
    tensor({ more: messageField(4, [new Uint8Array(24)]) }),
    "E_FORMAT",
    /raw_data and in another field/,
  ],
  ["bytes twice", tensor({ more: messageField(9, [new Uint8Array(24)]) }), "E_FORMAT", /raw_data twice/],
  [
    "values of another type",
    tensor({ raw: undefined, more: intField(7, 1) }),
    "E_TENSOR_INFO",
    /float values in int64_data/,
  ],
  [
    "too few values",
    tensor({ raw: undefined, more: messageField(4, [new Uint8Array(20)]) }),
    "E_TENSOR_OFFSETS",
    /found 5 values/,
  ],
  [
    "half a value",
    tensor({ raw: undefined, more: messageField(4, [new Uint8Array(22)]) }),
    "E_FORMAT",
    /multiple of 4/,
  ],
  ["a segment", tensor({ more: messageField(3, []) }), "E_TENSOR_INFO", /segment/],
  ["no name", tensor({ name: "" }), "E_FORMAT", /initializer without a name/],
  ["a name without end", tensor({ name: "w".repeat(5000) }), "E_FORMAT", /name: found 5000 bytes/],
  [
    "a name twice",
    { ...VALID, tensors: [...(VALID.tensors ?? []), ...(VALID.tensors ?? [])] },
    "E_FORMAT",
    /"w" twice/,
  ],
  ["sparse weights", { ...VALID, graph: messageField(15, []) }, "E_FORMAT", /sparse_initializer/],
  // Data in other files
  ...[
    "../w.data",
    "a/../../w",
    "/etc/passwd",
    "C:\\w",
    "a\\b",
    "..",
    "",
    ".",
    "a//b",
    "http://x/y",
    "file:w",
    "w\0",
    "w\n",
    "./../w",
  ].map(
    (location) =>
      [
        `data at ${JSON.stringify(location)}`,
        external({ location }),
        "E_FORMAT",
        /location: found .*beside the graph/,
      ] as const,
  ),
  ["an offset below 0", external({ offset: "-4" }), "E_TENSOR_OFFSETS", /offset: found "-4"/],
  ["an offset that is no number", external({ offset: "0x10" }), "E_TENSOR_OFFSETS", /offset: found "0x10"/],
  [
    "an offset beyond numbers",
    external({ offset: "99999999999999999999" }),
    "E_TENSOR_OFFSETS",
    /expected a whole number/,
  ],
  ["another length", external({ length: "23" }), "E_TENSOR_OFFSETS", /length: found 23; .* are 24/],
  [
    "no place",
    { ...VALID, tensors: [{ name: "w", type: FLOAT, dims: [2, 3], external: {} }] },
    "E_TENSOR_OFFSETS",
    /no location/,
  ],
  [
    "values here and there",
    {
      ...external({}),
      tensors: [{ name: "w", type: FLOAT, dims: [6], external: { location: "w" }, raw: new Uint8Array(24) }],
    },
    "E_FORMAT",
    /here and in another file/,
  ],
  // Nodes
  [
    "an input from nowhere",
    nodes(relu("nothing", "z")),
    "E_FORMAT",
    /node "z" \("Relu"\): input "nothing": found nothing/,
  ],
  [
    "an output from nowhere",
    { ...VALID, outputs: [{ name: "z", type: FLOAT }] },
    "E_FORMAT",
    /output "z": found nothing/,
  ],
  ["an output twice", nodes(relu("x", "y")), "E_FORMAT", /output "y" is given already/],
  ["an initializer's name again", nodes(relu("x", "w")), "E_FORMAT", /output "w" is given already/],
  ["a circle", nodes(relu("b", "a"), relu("a", "b")), "E_FORMAT", /circle/],
  ["a node that waits for itself", nodes(relu("a", "a")), "E_FORMAT", /circle/],
  [
    "an attribute twice",
    nodes({ ...relu("x", "a"), attributes: [textField(1, "k"), textField(1, "k")] }),
    "E_FORMAT",
    /attribute "k" twice/,
  ],
  ["no operator", nodes({ operator: "" }), "E_FORMAT", /no op_type/],
  ["a loop", nodes({ operator: "Loop", outputs: ["a"] }), "E_FORMAT", /no operator that repeats/],
  [
    "a loop in a branch",
    nodes({ operator: "If", inputs: ["x"], attributes: [graphAttribute("then_branch", nodes({ operator: "Scan" }))] }),
    "E_FORMAT",
    /no operator that repeats/,
  ],
  ["a domain that nobody has", nodes({ ...relu("x", "a"), domain: "org.evil" }), "E_FORMAT", /"org\.evil"/],
  // Nesting
  ["graphs nested 20 deep", nested(20), "E_FORMAT", /nested more than 8 deep/],
  ["graphs nested 5000 deep", nested(5000), "E_FORMAT", /nested more than 8 deep/],
  ["a function that calls itself", calls("f", func("f", ["f"])), "E_FORMAT", /come back to it/],
  ["functions that call each other", calls("f", func("f", ["g"]), func("g", ["f"])), "E_FORMAT", /come back to it/],
  [
    "functions that double thirty times",
    calls("f0", ...Array.from({ length: 30 }, (_, i) => func(`f${i}`, [`f${i + 1}`, `f${i + 1}`])), func("f30", [])),
    "E_FORMAT",
    /more than 1000000 nodes/,
  ],
  ["a function twice", calls("f", func("f", []), func("f", [])), "E_FORMAT", /function "own:f:" twice/],
  // The model
  ["an old IR", { ...VALID, irVersion: 1 }, "E_FORMAT", /ir_version: found 1/],
  ["an IR of the future", { ...VALID, irVersion: 1000 }, "E_FORMAT", /ir_version: found 1000/],
  ["an opset below 1", { ...VALID, opsets: [["", -1]] }, "E_FORMAT", /version: found -1/],
  ["no opset", { ...VALID, opsets: [] }, "E_FORMAT", /opset_import/],
  ["a second graph", { ...VALID, model: messageField(7, []) }, "E_FORMAT", /second graph/],
  ["training", { ...VALID, model: messageField(20, []) }, "E_FORMAT", /training_info/],
  ["a field 0", { ...VALID, model: [Uint8Array.of(0, 0)] }, "E_FORMAT", /field number 0/],
  ["a group", { ...VALID, model: [Uint8Array.of(((99 << 3) & 0x7f) | 0x80 | 3, 6)] }, "E_FORMAT", /wire type group/],
  [
    "a number of 11 bytes",
    { ...VALID, model: [Uint8Array.of(0x28, ...Array.from({ length: 10 }, () => 255), 1)] },
    "E_FORMAT",
    /more than 64 bits/,
  ],
  [
    "another wire type",
    { ...VALID, model: messageField(1, []) },
    "E_FORMAT",
    /ir_version: found wire type bytes; expected varint/,
  ],
];

describe("an ONNX model's file", () => {
  it("gives its inputs, outputs and tensors; weights may lie elsewhere, overlap, and share a file", () => {
    const model = readOnnxModel(buildOnnx(VALID), "m.onnx");
    expect(model.inputs).toEqual([{ name: "x", type: FLOAT, shape: [undefined, 2] }]);
    expect(model.outputs).toEqual([{ name: "y", type: FLOAT, shape: [undefined, 3] }]);
    expect(model.tensors.map(({ name, dims }) => [name, dims])).toEqual([["w", [2, 3]]]);
    const out = readOnnxModel(buildOnnx(external({ offset: "4096", length: "24", checksum: "ab" })), "m.onnx");
    expect(out.external).toEqual([{ tensor: "w", location: "w.data", offset: 4096, length: 24 }]);
    expect(readOnnxModel(buildOnnx(external({ location: "./data/w.1" })), "m.onnx").external[0]?.location).toBe(
      "./data/w.1",
    );
  });

  it("may have what exporters write: branches, functions, typed values, initializers among the inputs, open sizes", () => {
    const branch = { nodes: [relu("y", "inner")], outputs: [{ name: "inner", type: FLOAT }] };
    const attributes = [graphAttribute("then_branch", branch), graphAttribute("else_branch", branch)];
    const If = nodes({ operator: "If", name: "if", inputs: ["x"], outputs: ["z"], attributes });
    expect(readOnnxModel(buildOnnx(If), "m.onnx").nodes).toBe(4);
    expect(readOnnxModel(buildOnnx(calls("f", func("f", ["g", "g"]), func("g", []))), "m.onnx").nodes).toBe(5);
    const typed = tensor({ raw: undefined, more: messageField(4, [new Uint8Array(24)]) });
    expect(readOnnxModel(buildOnnx(typed), "m.onnx").tensors).toHaveLength(1);
    const four = tensor({ type: 22, dims: [3], raw: new Uint8Array(2) });
    expect(readOnnxModel(buildOnnx(four), "m.onnx").tensors).toHaveLength(1);
    const listed = { ...VALID, inputs: [...(VALID.inputs ?? []), { name: "w", type: FLOAT, shape: [2, 3] }] };
    expect(readOnnxModel(buildOnnx(listed), "m.onnx").inputs.map(({ name }) => name)).toEqual(["x"]);
    const open = { ...VALID, inputs: [{ name: "x", type: FLOAT }] };
    expect(readOnnxModel(buildOnnx(open), "m.onnx").inputs[0]?.shape).toBeUndefined();
    // Nodes need not stand in the order in which they are computed.
    expect(
      readOnnxModel(buildOnnx({ ...VALID, nodes: [relu("y", "z"), ...(VALID.nodes ?? [])] }), "m.onnx").nodes,
    ).toBe(2);
  });

  it.each(REFUSED)("is refused for %s", (_, model, code, message) => {
    let error: unknown;
    const begin = performance.now();
    try {
      readOnnxModel(buildOnnx(model), "m.onnx");
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringMatching(/^m\.onnx: /) });
    expect(isR1Error(error) && !/\p{Cc}/u.test(error.message)).toBe(true);
    expect(performance.now() - begin).toBeLessThan(5000);
  });

  it("is read in time and memory of its size, however it is spread", () => {
    const begin = performance.now();
    // A value that everything uses, a hundred thousand subgraphs beside it, and a long chain.
    const fan = Array.from({ length: 8000 }, (_, i) => relu("x", `fan${i}`));
    const chain = Array.from({ length: 8000 }, (_, i) =>
      relu(i === 0 ? "x" : `chain${i - 1}`, `chain${i}`),
    ).toReversed();
    const branch = graphAttribute("then_branch", { nodes: [relu("x", "inner")] });
    const branches = Array.from({ length: 4000 }, (_, i) => ({
      operator: "If",
      name: `if${i}`,
      inputs: ["x"],
      attributes: [branch],
    }));
    const model = readOnnxModel(buildOnnx(nodes(...fan, ...chain, ...branches)), "m.onnx");
    expect(model.nodes).toBe(24_001);
    expect(performance.now() - begin).toBeLessThan(15_000);
    const many = protoBytes(messageField(7, [new Uint8Array(2 * 400_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0))]));
    expect(() => readOnnxModel(many, "m.onnx")).toThrow("op_type");
  });
});

const REAL = ["tiny-gqa-qwen2type/decoder.onnx", "tiny-random-gpt2-fp32/past.onnx"];
describe.skipIf(!hasData("onnx"))(titleWithData("real models", "onnx"), () => {
  it.each(REAL)("%s: every length that it can be cut to is refused", (path) => {
    const bytes = new Uint8Array(readData(`onnx/${path}`));
    expect(readOnnxModel(bytes, path).outputs.map(({ name }) => name)).toContain("logits");
    for (let i = 0; i < 400; i++) {
      const cut = bytes.subarray(0, Math.floor((i * (bytes.length - 1)) / 400));
      expect(() => readOnnxModel(cut, path)).toThrow(path);
    }
  });
});
