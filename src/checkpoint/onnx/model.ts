import { quote } from "../quote.ts";
import { readGraph } from "./graph.ts";
import type { OnnxGraphSummary, GraphLimits } from "./graph.ts";
import { readFunction, requireEnd } from "./functions.ts";
import type { FunctionSummary } from "./functions.ts";
import { ProtoReader } from "./proto-reader.ts";
import { MAX_NAME } from "./tensor.ts";
import type { ExternalData, OnnxTensor } from "./tensor.ts";

/** A value that goes into or comes out of a graph. */
export interface OnnxValueInfo {
  readonly name: string;
  /** TensorProto.DataType; undefined for what is no tensor. */
  readonly type: number | undefined;
  /** Undefined where the rank is open; a size is undefined where it is. */
  readonly shape: readonly (number | undefined)[] | undefined;
}

/** What a model's file says, its weights unread. */
export interface OnnxModelSummary {
  /** Without those that have a value in the graph. */
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly tensors: readonly OnnxTensor[];
  /** Of all graphs. */
  readonly external: readonly ExternalData[];
  readonly nodes: number;
}

/** Versions of ONNX's own format: 3 came with opsets (2017). */
const IR_VERSIONS = { least: 3, most: 20 } as const;
/** ONNX's own operators are at 26. */
const MOST_OPSET = 64;
const MAX_OPSETS = 64;
const MAX_FUNCTIONS = 10_000;

/** Domains whose operators ONNX Runtime has; others must be functions of the file. */
const DOMAINS: ReadonlySet<string> = new Set([
  "",
  "ai.onnx",
  "ai.onnx.ml",
  "com.microsoft",
  "com.ms.internal.nhwc",
  "com.microsoft.nchwc",
]);

/**
 * Reads a ModelProto before ONNX Runtime does: every length, type, name and size in it is held to the file and to each other,
 * and what is nested, repeated or put in has a bound. Weights are not copied.
 * @param file for messages
 * @throws R1Error E_FORMAT, E_FILE_TRUNCATED, E_TENSOR_INFO, E_TENSOR_OFFSETS, naming the field, what was found and what
 *   is expected
 */
export function readOnnxModel(bytes: Uint8Array, file: string): OnnxModelSummary {
  const reader = new ProtoReader({ name: file, bytes }, "model");
  const limits: GraphLimits = { nodes: 0, tensors: 0, values: 0, attributes: 0, texts: 0 };
  const functions = new Map<string, FunctionSummary>();
  const opsets = new Map<string, number>();
  let version: number | undefined;
  let graph: OnnxGraphSummary | undefined;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        version = reader.integer("ir_version");
        break;
      case 7:
        if (graph) throw reader.error("E_FORMAT", "found a second graph; expected one");
        graph = readGraph(reader.message("graph", "graph"), limits);
        break;
      case 8:
        readOpset(reader.message("opset_import", "opset_import"), opsets);
        break;
      case 20:
        throw reader.error("E_FORMAT", "found training_info; expected a model for inference");
      case 25: {
        if (functions.size === MAX_FUNCTIONS) throw reader.error("E_FORMAT", `more than ${MAX_FUNCTIONS} functions`);
        const one = readFunction(reader.message("functions", "function"), limits);
        if (functions.has(one.key)) throw reader.error("E_FORMAT", `found function ${quote(one.key)} twice`);
        functions.set(one.key, one);
        break;
      }
      default:
        reader.skip();
    }
  }
  if (version === undefined || version < IR_VERSIONS.least || version > IR_VERSIONS.most) {
    const { least, most } = IR_VERSIONS;
    throw reader.error("E_FORMAT", `ir_version: found ${version ?? "none"}; expected ${least} to ${most}`);
  }
  if (!graph) throw reader.error("E_FORMAT", "found no graph");
  const own = opsets.get("") ?? opsets.get("ai.onnx");
  if (own === undefined) throw reader.error("E_FORMAT", "opset_import: found none of ONNX's own operators");
  const domains = new Set([...functions.values()].map(({ domain }) => domain));
  for (const [domain, where] of [graph, ...functions.values()].flatMap((one) => [...one.domains])) {
    if (!DOMAINS.has(domain) && !domains.has(domain)) {
      throw reader.error(
        "E_FORMAT",
        `${where} is of the domain ${quote(domain)}; expected ONNX's own operators, com.microsoft's, or a function of the file`,
      );
    }
  }
  requireEnd(reader, graph, functions);
  const { tensors, inputs, outputs, external } = graph;
  const given = new Set(tensors.map(({ name }) => name));
  return {
    inputs: inputs.filter(({ name }) => !given.has(name)),
    outputs,
    tensors,
    external: [...external, ...[...functions.values()].flatMap((one) => one.external)],
    nodes: limits.nodes,
  };
}

function readOpset(reader: ProtoReader, opsets: Map<string, number>): void {
  let domain = "";
  let version = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) domain = reader.text("domain", MAX_NAME);
    else if (field === 2) version = reader.integer("version");
    else reader.skip();
  }
  if (version < 1 || version > MOST_OPSET) {
    throw reader.error("E_FORMAT", `${quote(domain)} version: found ${version}; expected 1 to ${MOST_OPSET}`);
  }
  if (opsets.size === MAX_OPSETS) throw reader.error("E_FORMAT", `found more than ${MAX_OPSETS}`);
  opsets.set(domain, version);
}
