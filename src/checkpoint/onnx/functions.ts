import { quote } from "../quote.ts";
import { count, functionKey, readNode } from "./graph.ts";
import type { GraphLimits, OnnxGraphSummary, OnnxNodeSummary } from "./graph.ts";
import type { ProtoReader } from "./proto-reader.ts";
import { MAX_NAME } from "./tensor.ts";
import type { ExternalData } from "./tensor.ts";

/** An operator that the file itself spells out. */
export interface FunctionSummary {
  readonly key: string;
  readonly domain: string;
  readonly nodes: readonly OnnxNodeSummary[];
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly external: readonly ExternalData[];
  readonly domains: ReadonlyMap<string, string>;
}

/** Nodes that there may be once functions are put in where they are called. */
const MAX_EXPANDED_NODES = 1_000_000;

/** A FunctionProto. @throws R1Error as `readOnnxModel` */
export function readFunction(reader: ProtoReader, limits: GraphLimits): FunctionSummary {
  let name = "";
  let domain = "";
  let overload = "";
  const nodes: OnnxNodeSummary[] = [];
  const inputs: string[] = [];
  const outputs: string[] = [];
  const external: ExternalData[] = [];
  const domains = new Map<string, string>();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        name = reader.text("name", MAX_NAME);
        break;
      case 4:
      case 5:
        count(reader, limits, "texts");
        (field === 4 ? inputs : outputs).push(reader.text(field === 4 ? "input" : "output", MAX_NAME));
        break;
      case 7:
        nodes.push(readNode(reader.message("node", "node"), limits, 0, external, domains));
        break;
      case 10:
        domain = reader.text("domain", MAX_NAME);
        break;
      case 13:
        overload = reader.text("overload", MAX_NAME);
        break;
      default:
        reader.skip();
    }
  }
  return { key: functionKey(domain, name, overload), domain, nodes, inputs, outputs, external, domains };
}

/**
 * Holds a file's graphs to be without circles and to come to an end: every value is given once and before it is needed, and
 * functions neither call themselves nor grow beyond measure where they call each other.
 * @throws R1Error E_FORMAT
 */
export function requireEnd(
  reader: ProtoReader,
  graph: OnnxGraphSummary,
  functions: ReadonlyMap<string, FunctionSummary>,
): void {
  const sizes = new Map<string, number>();
  const open = new Set<string>();
  const sizeOfNodes = (nodes: readonly OnnxNodeSummary[]): number => {
    let total = 0;
    for (const { key, subgraphs } of nodes) {
      total += 1 + (functions.has(key) ? sizeOf(key) : 0);
      for (const inner of subgraphs) total += sizeOfNodes(inner.nodes);
      if (total > MAX_EXPANDED_NODES) {
        throw reader.error("E_FORMAT", `found functions that come to more than ${MAX_EXPANDED_NODES} nodes`);
      }
    }
    return total;
  };
  const sizeOf = (key: string): number => {
    const known = sizes.get(key);
    if (known !== undefined) return known;
    // The deepest chain of calls that a reader of a thousand stack frames can follow.
    if (open.has(key) || open.size > 200) {
      throw reader.error(
        "E_FORMAT",
        `function ${quote(key)}: found calls that ${open.has(key) ? "come back to it" : "are more than 200 deep"}`,
      );
    }
    open.add(key);
    const size = sizeOfNodes(functions.get(key)?.nodes ?? []);
    open.delete(key);
    sizes.set(key, size);
    return size;
  };
  sizeOfNodes(graph.nodes);
  requireOrder(reader, graph, undefined);
  for (const { nodes, inputs, outputs } of functions.values()) {
    requireOrder(reader, { nodes, tensors: [], inputs: inputs.map(plain), outputs: outputs.map(plain) }, undefined);
  }
}

const plain = (name: string) => ({ name, type: undefined, shape: undefined });

/** Values of a graph, and of those around it. */
interface Scope {
  readonly given: ReadonlyMap<string, unknown>;
  readonly outer: Scope | undefined;
}

function isInScope(name: string, scope: Scope | undefined): boolean {
  for (let one = scope; one; one = one.outer) if (one.given.has(name)) return true;
  return false;
}

/** @param outer values that a subgraph may use */
function requireOrder(
  reader: ProtoReader,
  { nodes, tensors, inputs, outputs }: Pick<OnnxGraphSummary, "nodes" | "tensors" | "inputs" | "outputs">,
  outer: Scope | undefined,
): void {
  const given = new Map<string, OnnxNodeSummary | undefined>();
  const initializers = new Set<string>();
  for (const { name } of tensors) {
    if (name === "") throw reader.error("E_FORMAT", "found an initializer without a name");
    if (initializers.has(name)) throw reader.error("E_FORMAT", `found initializer ${quote(name)} twice`);
    initializers.add(name);
    given.set(name, undefined);
  }
  const named = new Set<string>();
  for (const { name } of inputs) {
    if (named.has(name)) throw reader.error("E_FORMAT", `found input ${quote(name)} twice`);
    named.add(name);
    given.set(name, undefined);
  }
  for (const node of nodes) {
    for (const name of node.outputs) {
      if (name === "") continue;
      if (given.has(name)) throw reader.error("E_FORMAT", `${node.what}: output ${quote(name)} is given already`);
      given.set(name, node);
    }
  }
  const scope: Scope = { given, outer };
  const results = new Set<string>();
  for (const { name } of outputs) {
    if (results.has(name)) throw reader.error("E_FORMAT", `found output ${quote(name)} twice`);
    results.add(name);
    if (!isInScope(name, scope)) {
      throw reader.error("E_FORMAT", `output ${quote(name)}: found nothing that gives it`);
    }
  }
  const needs = (node: OnnxNodeSummary): string[] => [...node.inputs, ...node.subgraphs.flatMap(freeNames)];
  // Nodes in an order in which each finds its inputs; what is left then waits for itself.
  const waiting = new Map<OnnxNodeSummary, number>();
  const after = new Map<OnnxNodeSummary, OnnxNodeSummary[]>();
  const ready: OnnxNodeSummary[] = [];
  for (const node of nodes) {
    const before = new Set<OnnxNodeSummary>();
    for (const name of needs(node)) {
      if (name === "") continue;
      const giver = given.get(name);
      if (giver) before.add(giver);
      else if (!isInScope(name, scope)) {
        throw reader.error("E_FORMAT", `${node.what}: input ${quote(name)}: found nothing that gives it`);
      }
    }
    waiting.set(node, before.size);
    for (const giver of before) {
      const others = after.get(giver);
      if (others) others.push(node);
      else after.set(giver, [node]);
    }
    if (before.size === 0) ready.push(node);
  }
  let done = 0;
  for (let node = ready.pop(); node; node = ready.pop()) {
    done++;
    for (const next of after.get(node) ?? []) {
      const left = (waiting.get(next) ?? 0) - 1;
      waiting.set(next, left);
      if (left === 0) ready.push(next);
    }
  }
  if (done < nodes.length) {
    const stuck = nodes.find((node) => (waiting.get(node) ?? 0) > 0);
    throw reader.error("E_FORMAT", `${stuck?.what ?? "a node"}: found a circle; its inputs wait for its outputs`);
  }
  for (const node of nodes) for (const inner of node.subgraphs) requireOrder(reader, inner, scope);
}

/** Names that a subgraph takes from around it. */
function freeNames(graph: OnnxGraphSummary): string[] {
  const own = new Set([
    ...graph.tensors.map(({ name }) => name),
    ...graph.inputs.map(({ name }) => name),
    ...graph.nodes.flatMap(({ outputs }) => outputs),
  ]);
  const used = graph.nodes.flatMap((node) => [...node.inputs, ...node.subgraphs.flatMap(freeNames)]);
  return [...used, ...graph.outputs.map(({ name }) => name)].filter((name) => name !== "" && !own.has(name));
}
