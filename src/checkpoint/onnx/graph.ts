import { quote } from "../quote.ts";
import type { OnnxValueInfo } from "./model.ts";
import { named } from "./proto-reader.ts";
import type { ProtoReader } from "./proto-reader.ts";
import { MAX_NAME, readTensor } from "./tensor.ts";
import type { ExternalData, OnnxTensor } from "./tensor.ts";
import { readValueInfo } from "./value-info.ts";

/** What has been read of a file so far: subgraphs and functions count too. */
export interface GraphLimits {
  nodes: number;
  tensors: number;
  values: number;
  attributes: number;
  /** Names of a node's inputs and outputs. */
  texts: number;
}

/** Ten times what graphs of the largest models have. */
const MOST: Readonly<GraphLimits> = {
  nodes: 200_000,
  tensors: 200_000,
  values: 1_000_000,
  attributes: 2_000_000,
  texts: 4_000_000,
};
/** Subgraphs within subgraphs; decoders that are merged of two have one. */
const MAX_DEPTH = 8;
/** Operators that repeat a subgraph, how often only their inputs say: a step might never end. */
const LOOPS: ReadonlySet<string> = new Set(["Loop", "Scan", "SequenceMap"]);

export interface OnnxNodeSummary {
  /** For messages. */
  readonly what: string;
  /** Domain, name and overload of the operator, as functions have them. */
  readonly key: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly subgraphs: readonly OnnxGraphSummary[];
}

export interface OnnxGraphSummary {
  readonly nodes: readonly OnnxNodeSummary[];
  /** Initializers. */
  readonly tensors: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** Of subgraphs and attributes too. */
  readonly external: readonly ExternalData[];
  /** Domains of operators, and one that is of it. */
  readonly domains: ReadonlyMap<string, string>;
}

/** Counts something. @throws R1Error E_FORMAT for too many */
export function count(reader: ProtoReader, limits: GraphLimits, kind: keyof GraphLimits): void {
  limits[kind]++;
  if (limits[kind] > MOST[kind]) throw reader.error("E_FORMAT", `found more than ${MOST[kind]} ${kind}`);
}

/** @throws R1Error as `readOnnxModel` */
export function readGraph(reader: ProtoReader, limits: GraphLimits, depth = 0): OnnxGraphSummary {
  if (depth > MAX_DEPTH) throw reader.error("E_FORMAT", `found graphs nested more than ${MAX_DEPTH} deep`);
  const nodes: OnnxNodeSummary[] = [];
  const tensors: OnnxTensor[] = [];
  const inputs: OnnxValueInfo[] = [];
  const outputs: OnnxValueInfo[] = [];
  const external: ExternalData[] = [];
  const domains = new Map<string, string>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        nodes.push(readNode(reader.message("node", "node"), limits, depth, external, domains));
        break;
      case 5: {
        count(reader, limits, "tensors");
        const tensor = readTensor(reader.message("initializer", "initializer"));
        if (tensor.external) external.push(tensor.external);
        tensors.push(tensor);
        break;
      }
      case 11:
      case 12: {
        const kind = field === 11 ? "input" : "output";
        count(reader, limits, "values");
        (field === 11 ? inputs : outputs).push(readValueInfo(reader.message(kind, kind)));
        break;
      }
      case 15:
        throw reader.error("E_FORMAT", "found sparse_initializer; expected dense weights");
      default:
        reader.skip();
    }
  }
  return { nodes, tensors, inputs, outputs, external, domains };
}

export function readNode(
  reader: ProtoReader,
  limits: GraphLimits,
  depth: number,
  external: ExternalData[],
  domains: Map<string, string>,
): OnnxNodeSummary {
  count(reader, limits, "nodes");
  let name = "";
  let operator = "";
  let domain = "";
  let overload = "";
  const inputs: string[] = [];
  const outputs: string[] = [];
  const subgraphs: OnnxGraphSummary[] = [];
  const attributes = new Set<string>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
      case 2:
        count(reader, limits, "texts");
        (field === 1 ? inputs : outputs).push(reader.text(field === 1 ? "input" : "output", MAX_NAME));
        break;
      case 3:
        name = reader.text("name", MAX_NAME);
        break;
      case 4:
        operator = reader.text("op_type", MAX_NAME);
        break;
      case 5: {
        count(reader, limits, "attributes");
        const what = `${named("node", name)} attribute`;
        const attribute = readAttribute(reader.message("attribute", what), limits, depth, external, subgraphs);
        if (attributes.has(attribute)) throw reader.error("E_FORMAT", `found attribute ${quote(attribute)} twice`);
        attributes.add(attribute);
        break;
      }
      case 7:
        domain = reader.text("domain", MAX_NAME);
        break;
      case 8:
        overload = reader.text("overload", MAX_NAME);
        break;
      default:
        reader.skip();
    }
  }
  const what = `${named("node", name)} (${quote(operator)})`;
  if (operator === "") throw reader.error("E_FORMAT", `${what}: found no op_type`);
  if (LOOPS.has(operator) && (domain === "" || domain === "ai.onnx")) {
    throw reader.error("E_FORMAT", `${what}: expected no operator that repeats a graph (${[...LOOPS].join(", ")})`);
  }
  domains.set(domain, what);
  for (const graph of subgraphs) {
    for (const [inner, where] of graph.domains) domains.set(inner, where);
    for (const data of graph.external) external.push(data);
  }
  return { what, key: functionKey(domain, operator, overload), inputs, outputs, subgraphs };
}

export function functionKey(domain: string, name: string, overload: string): string {
  return [domain === "ai.onnx" ? "" : domain, name, overload].join(":");
}

/** @returns its name */
function readAttribute(
  reader: ProtoReader,
  limits: GraphLimits,
  depth: number,
  external: ExternalData[],
  subgraphs: OnnxGraphSummary[],
): string {
  let name = "";
  let type = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        name = reader.text("name", MAX_NAME);
        break;
      case 3:
        reader.integer("i");
        break;
      case 4:
        reader.range("s");
        break;
      case 5:
      case 10: {
        count(reader, limits, "tensors");
        const tensor = readTensor(reader.message("t", `${reader.what} ${quote(name)}`));
        if (tensor.external) external.push(tensor.external);
        break;
      }
      case 6:
      case 11:
        subgraphs.push(readGraph(reader.message("g", "subgraph"), limits, depth + 1));
        break;
      case 7:
        for (let i = reader.fixed("floats", 4); i > 0; i--) count(reader, limits, "attributes");
        break;
      case 8:
        reader.integers("ints", () => count(reader, limits, "attributes"));
        break;
      case 9:
        reader.range("strings");
        count(reader, limits, "attributes");
        break;
      case 20:
        type = reader.integer("type");
        break;
      case 22:
      case 23:
        throw reader.error("E_FORMAT", "found a sparse tensor; expected a dense one");
      default:
        reader.skip();
    }
  }
  if (name === "") throw reader.error("E_FORMAT", "found no name");
  if (type < 0 || type > 14) throw reader.error("E_FORMAT", `${quote(name)} type: found ${type}; expected 1 to 14`);
  return name;
}
