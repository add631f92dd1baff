import { hasSymbols } from "./evaluate.ts";
import { apply, some } from "./node.ts";
import type { Node, Relation, RelationNode, SequenceNode } from "./node.ts";
import { constantRatio } from "./numbers.ts";

const FLIPPED: Partial<Record<Relation, Relation>> = { "<": ">", ">": "<", "≤": "≥", "≥": "≤" };

export function isRelation(node: Node): node is RelationNode {
  return node.kind === "relation";
}

function isChainOf(node: RelationNode, ops: readonly Relation[]): boolean {
  return node.ops.every((op) => ops.includes(op));
}

/** Names without numbers: x, f(2), |AB|, NO/BO, (p, q) are given values; 2x + z is not. */
function isName(node: Node): boolean {
  if (node.kind === "apply" && node.op === "call") return true;
  return (
    (hasSymbols(node) || some(node, ({ kind }) => kind === "text")) && !some(node, ({ kind }) => kind === "number")
  );
}

/** Left and right side of `a = b = … = z`; what follows `≈` after an exact value is only its rounding. */
function ends(node: RelationNode): readonly (Node | undefined)[] {
  const rounding = node.ops.findIndex((op, index) => op === "≈" && index > 0);
  const sides = rounding > 0 ? node.sides.slice(0, rounding + 1) : node.sides;
  return [sides[0], sides.at(-1)];
}

/**
 * The value a relation gives: 5 for `x = 5` and `5 = x`, S for `x ∈ S`, 2 for `1 + 1 = 2`.
 * @returns undefined for an equation such as `2x + z = 1`, and for inequalities
 */
export function assignedValue(node: RelationNode): Node | undefined {
  const [left, right] = ends(node);
  if (!left || !right) return undefined;
  if (node.ops.length === 1 && node.ops[0] === "∈") return isName(left) ? right : undefined;
  if (!isChainOf(node, ["=", "≈"])) return undefined;
  if (isName(left)) return right;
  if (right.kind === "symbol" && !hasSymbols(left)) return left;
  return hasSymbols(left) || hasSymbols(right) ? undefined : right;
}

/** A variable and the set it lies in. */
interface Membership {
  readonly variable: string;
  readonly set: Node;
}

function interval(open: string, low: Node, high: Node, close: string): SequenceNode {
  return { kind: "sequence", shape: "tuple", open, close, items: [low, high] };
}

const INFINITY: Node = { kind: "constant", name: "infinity" };
const MINUS_INFINITY: Node = apply("negate", INFINITY);
const openOf = (op: Relation): string => (op === "<" ? "(" : "[");
const closeOf = (op: Relation): string => (op === "<" ? ")" : "]");

/** Sides in rising order with their `<` and `≤`; undefined for a chain that turns or is none. */
function rising(node: RelationNode): Pick<RelationNode, "sides" | "ops"> | undefined {
  if (isChainOf(node, ["<", "≤"])) return node;
  if (!isChainOf(node, [">", "≥"])) return undefined;
  return { sides: node.sides.toReversed(), ops: node.ops.map((op) => FLIPPED[op] ?? op).toReversed() };
}

function inequalityMembership(node: RelationNode): Membership | undefined {
  const { sides = [], ops = [] } = rising(node) ?? {};
  const [first, second, third, ...more] = sides;
  const [low, high] = ops;
  if (!first || !second || !low || more.length > 0) return undefined;
  if (third && high) {
    if (second.kind !== "symbol" || hasSymbols(first) || hasSymbols(third)) return undefined;
    return { variable: second.name, set: interval(openOf(low), first, third, closeOf(high)) };
  }
  if (first.kind === "symbol" && !hasSymbols(second))
    return { variable: first.name, set: interval("(", MINUS_INFINITY, second, closeOf(low)) };
  if (second.kind === "symbol" && !hasSymbols(first))
    return { variable: second.name, set: interval(openOf(low), first, INFINITY, ")") };
  return undefined;
}

/**
 * The variable and set of `x ∈ S`, `x > 5`, `5 ≥ x` or `−2 ≤ x < 7`.
 * @returns undefined for other relations
 */
export function membershipOf(node: RelationNode): Membership | undefined {
  const [first, set] = node.sides;
  if (node.ops.length === 1 && node.ops[0] === "∈" && first?.kind === "symbol" && set)
    return { variable: first.name, set };
  return inequalityMembership(node);
}

/** One step of a chain as `value op 0`, with `op` one of = ≠ > ≥. */
interface Condition {
  readonly op: Relation;
  readonly value: Node;
}

function conditions(node: RelationNode): Condition[] {
  return node.ops.flatMap((op, index) => {
    const [left, right] = [node.sides[index], node.sides[index + 1]];
    if (!left || !right || op === "∈") return [];
    const falling = op === "<" || op === "≤";
    const value = apply("add", falling ? right : left, apply("negate", falling ? left : right));
    const direction = falling ? (FLIPPED[op] ?? op) : op;
    return [{ op: direction === "≈" ? "=" : direction, value }];
  });
}

function sameCondition(a: Condition, b: Condition): boolean {
  if (a.op !== b.op) return false;
  const ratio = constantRatio(a.value, b.value);
  return ratio !== undefined && (a.op === "=" || a.op === "≠" || ratio > 0);
}

/** Equations and inequalities that are multiples of one another: `x < 1` and `−x > −1`. */
export function sameConditions(a: RelationNode, b: RelationNode): boolean {
  const [left, right] = [conditions(a), conditions(b)];
  if (left.length === 0 || left.length !== right.length) return false;
  return left.every((condition) => right.some((other) => sameCondition(condition, other)));
}

/** True where both give a value to the same name. */
export function sameName(a: RelationNode, b: RelationNode, same: (a: Node, b: Node) => boolean): boolean {
  const [left, right] = [a.sides[0], b.sides[0]];
  return left !== undefined && right !== undefined && isName(left) && isName(right) && same(left, right);
}
