import { apply, list, mapChildren, some, substitute } from "./node.ts";
import type { Node, RelationNode, SequenceNode } from "./node.ts";
import { reduceMatrices } from "./matrix.ts";

const SIGNS: readonly Readonly<Record<string, boolean>>[] = [
  { "plus-minus": true, "minus-plus": false },
  { "plus-minus": false, "minus-plus": true },
];

function isPlusMinus(node: Node): boolean {
  return node.kind === "apply" && (node.op === "plus-minus" || node.op === "minus-plus");
}

function withSign(node: Node, signs: Readonly<Record<string, boolean>>): Node {
  const changed = mapChildren(node, (child) => withSign(child, signs));
  if (changed.kind !== "apply" || !isPlusMinus(changed)) return changed;
  const [left, right] = changed.args;
  if (!left || !right) return changed;
  return apply("add", left, signs[changed.op] === true ? right : apply("negate", right));
}

/** Both values of an expression with ±, whose signs go together with those of ∓. */
function bothSigns(node: Node): Node[] {
  return some(node, isPlusMinus) ? SIGNS.map((signs) => withSign(node, signs)) : [node];
}

/** A list or a set: what is in it counts, and not the order. */
export function isCollection(node: Node): node is SequenceNode {
  return node.kind === "sequence" && (node.shape === "list" || node.shape === "set");
}

/** Lists in lists flattened, ± written out, single items taken out of their braces, all the way down. */
function unfold(node: Node): Node {
  const items = isCollection(node) ? node.items.flatMap((item) => flatten(item, node.shape)) : bothSigns(node);
  const [first] = items;
  if (isCollection(node)) return items.length === 1 && first && !isSet(first) ? first : { ...node, items };
  if (items.length > 1) return list(items.map(unfold), "or");
  return node.kind === "apply" ? node : mapChildren(node, unfold);
}

const isSet = (node: Node): node is SequenceNode => node.kind === "sequence" && node.shape === "set";

/** The items that one contributes; a set in a set stays one, also of a single item. */
function flatten(item: Node, shape: SequenceNode["shape"]): readonly Node[] {
  if (shape === "set" && isSet(item)) return [{ ...item, items: item.items.flatMap((one) => flatten(one, "set")) }];
  const inner = unfold(item);
  return inner.kind === "sequence" && inner.shape === "list" ? inner.items : [inner];
}

const NUMBER_SETS = new Set(["\\mathbb{Z}", "\\mathbb{N}", "\\mathbb{R}", "\\mathbb{Q}", "\\mathbb{C}"]);

/** `k ∈ ℤ`: what is said of a variable beside the answer. */
function isDomain(node: Node): node is RelationNode {
  const [left, right] = node.kind === "relation" && node.ops.length === 1 && node.ops[0] === "∈" ? node.sides : [];
  return left?.kind === "symbol" && right?.kind === "symbol" && NUMBER_SETS.has(right.name);
}

/** `kπ, k ∈ ℤ` as kπ with a condition. */
function withDomains(node: Node): Node {
  if (node.kind !== "sequence" || node.shape !== "list") return node;
  const domains = node.items.filter(isDomain);
  const values = node.items.filter((item) => !isDomain(item));
  const [value, ...more] = values;
  const [condition] = domains;
  if (!value || !condition) return node;
  const answer = more.length === 0 ? value : list(values, node.joint);
  return { kind: "qualified", by: "condition", value: answer, condition };
}

/** The variable that a condition `k ∈ ℤ` is about. */
export function domainVariable(condition: Node): string | undefined {
  if (!isDomain(condition)) return undefined;
  const [left] = condition.sides;
  return left?.kind === "symbol" ? left.name : undefined;
}

function usesImaginary(node: Node): boolean {
  return some(node, (part) => part.kind === "constant" && part.name === "i");
}

function hasVariable(node: Node, name: string): boolean {
  return some(node, (part) => part.kind === "symbol" && part.name === name);
}

/** i as the first of the unit vectors i, j, k. */
function asUnitVector(node: Node): Node {
  if (node.kind === "constant" && node.name === "i") return { kind: "symbol", name: "i" };
  return mapChildren(node, asUnitVector);
}

/** Both answers with the same meaning of i and j: a root of −1, or unit vectors. */
export function withSameUnits(a: Node, b: Node): readonly [Node, Node] {
  const [jA, jB] = [hasVariable(a, "j"), hasVariable(b, "j")];
  const imaginary: Node = { kind: "constant", name: "i" };
  if (jA !== jB && usesImaginary(jA ? b : a) && !usesImaginary(jA ? a : b)) {
    return [substitute(a, "j", imaginary), substitute(b, "j", imaginary)];
  }
  return [jA ? asUnitVector(a) : a, jB ? asUnitVector(b) : b];
}

/** An answer as it is compared: matrices worked out, lists flattened, ± written out, domains taken as conditions. */
export function unfolded(node: Node): Node {
  return withDomains(unfold(reduceMatrices(node)));
}
