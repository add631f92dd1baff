import { apply, childrenOf, hasSymbols, some, substitute } from "./node.ts";
import type { Node, Relation, RelationNode } from "./node.ts";
import { constantRatio } from "./numbers.ts";
import type { Work } from "./work.ts";

const FLIPPED: Partial<Record<Relation, Relation>> = { "<": ">", ">": "<", "≤": "≥", "≥": "≤" };

export function isRelation(node: Node): node is RelationNode {
  return node.kind === "relation";
}

function isChainOf(node: RelationNode, ops: readonly Relation[]): boolean {
  return node.ops.every((op) => ops.includes(op));
}

/** Names without numbers: x, f(2), a_{n+1}, |AB|, NO/BO, (p, q) are given values; 2x + z is not. */
export function isName(node: Node): boolean {
  if (node.kind === "apply" && (node.op === "call" || node.op === "index")) return true;
  return (
    (hasSymbols(node) || some(node, ({ kind }) => kind === "text")) && !some(node, ({ kind }) => kind === "number")
  );
}

/** Left and right side of `a = b = … = z`; what follows `≈` after an exact value is only its rounding. */
function ends(node: RelationNode): readonly (Node | undefined)[] {
  const [first] = node.sides;
  const isValue = first !== undefined && !hasSymbols(first);
  const rounding = node.ops.findIndex((op, index) => op === "≈" && (index > 0 || isValue));
  const sides = rounding >= 0 ? node.sides.slice(0, rounding + 1) : node.sides;
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

/** Has the expression a variable, other than the name of a function or a sequence? */
function varies(node: Node): boolean {
  if (node.kind === "symbol") return true;
  const isNamed = node.kind === "apply" && (node.op === "call" || node.op === "index");
  return childrenOf(node).some((child, index) => !(isNamed && index === 0) && varies(child));
}

function sameCondition(a: Condition, b: Condition, work: Work): boolean {
  if (a.op !== b.op) return false;
  const ratio = constantRatio(a.value, b.value, work);
  // f(2) − 5 and f(5) − 2 have no variables: any two such values have a constant ratio.
  if (ratio !== undefined && !varies(a.value) && Math.abs(Math.abs(ratio) - 1) > 1e-9) return false;
  return ratio !== undefined && (a.op === "=" || a.op === "≠" || ratio > 0);
}

/** Equations and inequalities that are multiples of one another: `x < 1` and `−x > −1`. */
export function sameConditions(a: RelationNode, b: RelationNode, work: Work): boolean {
  const [left, right] = [conditions(a), conditions(b)];
  if (left.length === 0 || left.length !== right.length) return false;
  return left.every((condition) => right.some((other) => sameCondition(condition, other, work)));
}

/** `f(t) = 2t` with the other definition's name for its argument: `f(x) = 2x`. */
export function withSameArguments(a: RelationNode, b: RelationNode): RelationNode {
  const [left, right] = [a.sides[0], b.sides[0]];
  if (left?.kind !== "apply" || right?.kind !== "apply" || left.op !== "call" || right.op !== "call") return b;
  const [[name, ...mine], [other, ...theirs]] = [left.args, right.args];
  const isSame = name?.kind === "symbol" && other?.kind === "symbol" && name.name === other.name;
  if (!isSame || mine.length !== theirs.length) return b;
  let renamed: Node = b;
  for (const [index, argument] of theirs.entries()) {
    const to = mine[index];
    if (argument.kind !== "symbol" || to?.kind !== "symbol") return b;
    if (argument.name !== to.name) renamed = substitute(renamed, argument.name, to);
  }
  return renamed.kind === "relation" ? renamed : b;
}

/** True where both give a value to the same name. */
export function sameName(a: RelationNode, b: RelationNode, same: (a: Node, b: Node) => boolean): boolean {
  const [left, right] = [a.sides[0], b.sides[0]];
  return left !== undefined && right !== undefined && isName(left) && isName(right) && same(left, right);
}
