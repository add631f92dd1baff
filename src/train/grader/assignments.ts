import type { Node, RelationNode, SequenceNode } from "./node.ts";
import { assignedValue, isName, isRelation } from "./relations.ts";
import { childrenOf } from "./node.ts";

/** Values given to names: `x = 1, y = 2`, or `k = 3, 5, 8`. */
export interface Assignments {
  /** By name, in the order in which they stand. */
  readonly values: ReadonlyMap<string, readonly Node[]>;
}

/** A name as text: equal for the same name only. */
function keyOf(node: Node): string {
  if (node.kind === "symbol" || node.kind === "constant") return node.name;
  if (node.kind === "number") return `${node.value.numerator}/${node.value.denominator}`;
  if (node.kind === "text") return node.text.toLowerCase();
  const label = node.kind === "apply" ? node.op : node.kind;
  return `${label}(${childrenOf(node).map(keyOf).join(",")})`;
}

function isEquation(node: Node): node is RelationNode {
  return isRelation(node) && node.ops.every((op) => op === "=" || op === "≈");
}

/** `(x, y) = (1, 2)` as two equations. */
function named(left: Node, value: Node): readonly (readonly [string, Node])[] {
  const isPair =
    left.kind === "sequence" && value.kind === "sequence" && left.shape === "tuple" && value.shape === "tuple";
  if (!isPair || left.items.length !== value.items.length || !left.items.every(isName)) return [[keyOf(left), value]];
  return left.items.map((item, index) => [keyOf(item), value.items[index] ?? value] as const);
}

/**
 * The values that a list of equations gives. A value without a name belongs to the name before it.
 * @returns undefined where an equation gives no value
 */
export function assignmentsOf(node: Node): Assignments | undefined {
  const items = node.kind === "sequence" && node.shape === "list" ? node.items : [node];
  const values = new Map<string, Node[]>();
  let left: Node | undefined;
  for (const item of items) {
    if (isRelation(item) && !isEquation(item)) return undefined;
    const value = isRelation(item) ? assignedValue(item) : item;
    if (isRelation(item)) left = item.sides[0] === value ? item.sides.at(-1) : item.sides[0];
    if (!left || !value || !isName(left)) return undefined;
    for (const [name, one] of named(left, value)) values.set(name, [...(values.get(name) ?? []), one]);
  }
  return { values };
}

/** Are the names coordinates, which have an order of their own? */
const isLetter = (name: string): boolean => /^[a-z](?:_\d+)?$/.test(name);

/** The values as a tuple, one for each name: `y = 2, x = 1` is (1, 2). */
export function asCoordinates({ values }: Assignments): readonly Node[] | undefined {
  const names = [...values.keys()];
  const ordered = names.every(isLetter) ? names.toSorted() : names;
  const all = ordered.map((name) => values.get(name) ?? []);
  return all.every((one) => one.length === 1) ? all.flat() : undefined;
}

/** All values of a single name. */
export function valuesOfOneName({ values }: Assignments): readonly Node[] | undefined {
  const [[, only] = []] = values;
  return values.size === 1 ? only : undefined;
}

/** Do all names of a list have one letter, as x₁ and x₂ do? */
export function areEnumerated({ values }: Assignments): boolean {
  const letters = new Set([...values.keys()].map((name) => name.replace(/_\d+$/, "")));
  return letters.size === 1 && [...values.keys()].some((name) => name.includes("_"));
}

export function isList(node: Node): node is SequenceNode {
  return node.kind === "sequence" && node.shape === "list";
}
