import type { Rational } from "./rational.ts";

/** An exact number; `decimal` where it was written with a decimal point, and so may be rounded. */
export interface NumberNode {
  readonly kind: "number";
  readonly value: Rational;
  readonly decimal: boolean;
}

export interface SymbolNode {
  readonly kind: "symbol";
  readonly name: string;
}

export interface ConstantNode {
  readonly kind: "constant";
  readonly name: "pi" | "e" | "i" | "infinity";
}

/** An operator or function of {@link OPERATIONS} with its arguments. */
export interface ApplyNode {
  readonly kind: "apply";
  readonly op: string;
  readonly args: readonly Node[];
}

/**
 * Several values: a `list` is what commas alone separate, a `set` has braces, a `tuple` has round or square brackets
 * (intervals are tuples of two).
 */
export interface SequenceNode {
  readonly kind: "sequence";
  readonly shape: "list" | "set" | "tuple";
  readonly open: string;
  readonly close: string;
  readonly items: readonly Node[];
}

/** Sets joined by one of ∪ ∩ ∖. */
export interface SetOperationNode {
  readonly kind: "set-operation";
  readonly op: SetOperator;
  readonly items: readonly Node[];
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

export type SetOperator = "∪" | "∩" | "∖";
export type Relation = "=" | "≈" | "≠" | "<" | ">" | "≤" | "≥" | "∈";
export type Node =
  | NumberNode
  | SymbolNode
  | ConstantNode
  | ApplyNode
  | SequenceNode
  | SetOperationNode
  | RelationNode
  | MatrixNode
  | TextNode;

export function apply(op: string, ...args: readonly Node[]): ApplyNode {
  return { kind: "apply", op, args };
}

export function list(items: readonly Node[]): SequenceNode {
  return { kind: "sequence", shape: "list", open: "", close: "", items };
}

/** Nodes directly under a node. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "apply":
      return node.args;
    case "sequence":
    case "set-operation":
      return node.items;
    case "relation":
      return node.sides;
    case "matrix":
      return node.rows.flat();
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
    case "relation":
      return { ...node, sides: node.sides.map(change) };
    case "matrix":
      return { ...node, rows: node.rows.map((row) => row.map(change)) };
    default:
      return node;
  }
}
