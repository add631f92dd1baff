import type { Rational } from "./rational.ts";
import type { Unit } from "./units.ts";

/**
 * An exact number; `decimal` where it was written with a decimal point, and so may be rounded; `decimals` is how many
 * digits then follow the point.
 */
export interface NumberNode {
  readonly kind: "number";
  readonly value: Rational;
  readonly decimal: boolean;
  readonly decimals: number;
}

export interface SymbolNode {
  readonly kind: "symbol";
  readonly name: string;
}

export interface ConstantNode {
  readonly kind: "constant";
  readonly name: "pi" | "e" | "i" | "infinity";
}

/**
 * An operator or function with its arguments. Some have meanings of their own: `call` (a function's name and its
 * arguments), `index` (a sequence's name and its index), `sum` and `product` (variable, first, last, term).
 */
export interface ApplyNode {
  readonly kind: "apply";
  readonly op: string;
  readonly args: readonly Node[];
}

/** What joins the items of a list without brackets. */
export type Joint = "and" | "or" | ",";

/**
 * Several values: a `list` is what commas alone separate, a `set` has braces, a `tuple` has round or square brackets
 * (intervals are tuples of two), a `ratio` has colons.
 */
export interface SequenceNode {
  readonly kind: "sequence";
  readonly shape: "list" | "set" | "tuple" | "ratio";
  readonly open: string;
  readonly close: string;
  readonly items: readonly Node[];
  /** Of a list. */
  readonly joint?: Joint;
}

/** Sets joined by one of ∪ ∩ ∖. */
export interface SetOperationNode {
  readonly kind: "set-operation";
  readonly op: SetOperator;
  readonly items: readonly Node[];
}

/** `{x ∈ domain | condition}`. */
export interface SetBuilderNode {
  readonly kind: "set-builder";
  readonly element: Node;
  readonly condition: Node;
}

/** `a < b = c`: `ops[i]` stands between `sides[i]` and `sides[i + 1]`. */
export interface RelationNode {
  readonly kind: "relation";
  readonly ops: readonly Relation[];
  readonly sides: readonly Node[];
}

export interface MatrixNode {
  readonly kind: "matrix";
  readonly rows: readonly (readonly Node[])[];
}

/** Words: `\text{Monday}`. */
export interface TextNode {
  readonly kind: "text";
  readonly text: string;
}

/** A number of something measured. */
export interface QuantityNode {
  readonly kind: "quantity";
  readonly value: Node;
  readonly unit: Unit;
}

/** `value, where condition`: a residue class (`condition` its modulus), or an expression with what holds for its variables. */
export interface QualifiedNode {
  readonly kind: "qualified";
  readonly by: "modulus" | "condition";
  readonly value: Node;
  readonly condition: Node;
}

export type SetOperator = "∪" | "∩" | "∖";
export type Relation = "=" | "≈" | "≠" | "<" | ">" | "≤" | "≥" | "∈";
export type Node =
  | NumberNode
  | SymbolNode
  | ConstantNode
  | ApplyNode
  | SequenceNode
  | SetOperationNode
  | SetBuilderNode
  | RelationNode
  | MatrixNode
  | TextNode
  | QuantityNode
  | QualifiedNode;

export function apply(op: string, ...args: readonly Node[]): ApplyNode {
  return { kind: "apply", op, args };
}

export function whole(value: bigint | number): NumberNode {
  return { kind: "number", value: { numerator: BigInt(value), denominator: 1n }, decimal: false, decimals: 0 };
}

export function list(items: readonly Node[], joint: Joint = ","): SequenceNode {
  return { kind: "sequence", shape: "list", open: "", close: "", items, joint };
}

export function tuple(items: readonly Node[], open = "(", close = ")"): SequenceNode {
  return { kind: "sequence", shape: "tuple", open, close, items };
}

export const INFINITY: ConstantNode = { kind: "constant", name: "infinity" };
export const MINUS_INFINITY: Node = apply("negate", INFINITY);
export const EMPTY_SET: SequenceNode = { kind: "sequence", shape: "set", open: "{", close: "}", items: [] };

/** Nodes directly under a node. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "apply":
      return node.args;
    case "sequence":
    case "set-operation":
      return node.items;
    case "set-builder":
      return [node.element, node.condition];
    case "relation":
      return node.sides;
    case "matrix":
      return node.rows.flat();
    case "quantity":
      return [node.value];
    case "qualified":
      return [node.value, node.condition];
    default:
      return [];
  }
}

/** True where the node or one under it passes. */
export function some(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => some(child, test));
}

/** The same node over changed children. */
export function mapChildren(node: Node, change: (node: Node) => Node): Node {
  switch (node.kind) {
    case "apply":
      return { ...node, args: node.args.map(change) };
    case "sequence":
      return { ...node, items: node.items.map(change) };
    case "set-operation":
      return { ...node, items: node.items.map(change) };
    case "set-builder":
      return { ...node, element: change(node.element), condition: change(node.condition) };
    case "relation":
      return { ...node, sides: node.sides.map(change) };
    case "matrix":
      return { ...node, rows: node.rows.map((row) => row.map(change)) };
    case "quantity":
      return { ...node, value: change(node.value) };
    case "qualified":
      return { ...node, value: change(node.value), condition: change(node.condition) };
    default:
      return node;
  }
}

export function hasSymbols(node: Node): boolean {
  return some(node, ({ kind }) => kind === "symbol");
}

/** The node with another one in the place of each symbol of that name. */
export function substitute(node: Node, name: string, by: Node): Node {
  if (node.kind === "symbol") return node.name === name ? by : node;
  return mapChildren(node, (child) => substitute(child, name, by));
}
