import { MAX_COMPARISONS } from "./limits.ts";
import { reduceMatrices } from "./matrix.ts";
import { apply, list, mapChildren, some } from "./node.ts";
import type { MatrixNode, Node, SequenceNode, SetOperationNode } from "./node.ts";
import { sameQuantity } from "./numbers.ts";
import { assignedValue, isRelation, membershipOf, sameConditions, sameName } from "./relations.ts";

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

function isCollection(node: Node): node is SequenceNode {
  return node.kind === "sequence" && node.shape !== "tuple";
}

/** Lists in lists flattened, ± written out, single items taken out of their braces, all the way down. */
function unfold(node: Node): Node {
  const items = isCollection(node) ? node.items.flatMap(flatten) : bothSigns(node);
  const [first] = items;
  if (isCollection(node)) return items.length === 1 && first ? first : { ...node, items };
  if (items.length > 1) return list(items.map(unfold));
  return node.kind === "apply" ? node : mapChildren(node, unfold);
}

function flatten(item: Node): readonly Node[] {
  const inner = unfold(item);
  return inner.kind === "sequence" && inner.shape === "list" ? inner.items : [inner];
}

function isRoundTuple(node: Node): node is SequenceNode {
  return node.kind === "sequence" && node.shape === "tuple" && node.open === "(" && node.close === ")";
}

/** A row or column as a tuple of its entries. */
function asTuple(node: MatrixNode): SequenceNode | undefined {
  const isVector = node.rows.length === 1 || node.rows.every((row) => row.length === 1);
  if (!isVector) return undefined;
  return { kind: "sequence", shape: "tuple", open: "(", close: ")", items: node.rows.flat() };
}

/** x < 1 or x > 3 as (−∞, 1) ∪ (3, ∞). */
function asUnion(node: SequenceNode): SetOperationNode | undefined {
  const items = node.items.map((item) => (isRelation(item) ? membershipOf(item)?.set : undefined));
  const known = items.filter((item) => item !== undefined);
  return known.length === items.length ? { kind: "set-operation", op: "∪", items: known } : undefined;
}

const REALS = "\\mathbb{R}";

function isRealLine(node: Node): boolean {
  if (node.kind === "symbol") return node.name === REALS;
  if (!isRoundTuple(node) || node.items.length !== 2) return false;
  const [low, high] = node.items;
  const infinity: Node = { kind: "constant", name: "infinity" };
  return (
    low !== undefined &&
    high !== undefined &&
    sameQuantity(low, apply("negate", infinity), 0) &&
    sameQuantity(high, infinity, 0)
  );
}

/** Compares expression trees; `precision` is the number of decimals a rounded number must agree in. */
export class Comparison {
  readonly #precision: number;
  /** Sets within sets are compared both ways, which doubles the work with every level. */
  #comparisonsLeft = MAX_COMPARISONS;

  constructor(precision: number) {
    this.#precision = precision;
  }

  /** Do both trees give the same answer? */
  same(gold: Node, prediction: Node): boolean {
    return this.#same(unfold(reduceMatrices(gold)), unfold(reduceMatrices(prediction)));
  }

  #same(a: Node, b: Node): boolean {
    if (this.#comparisonsLeft-- <= 0) return false;
    if (isRelation(a) && isRelation(b)) {
      const [left, right] = [assignedValue(a), assignedValue(b)];
      if (left && right && sameName(a, b, (x, y) => this.#same(x, y))) return this.#same(left, right);
      if (sameConditions(a, b)) return true;
      const [inA, inB] = [membershipOf(a), membershipOf(b)];
      return inA !== undefined && inA.variable === inB?.variable && this.#same(inA.set, inB.set);
    }
    if (isRelation(a)) return this.#sameAsRelation(b, a);
    if (isRelation(b)) return this.#sameAsRelation(a, b);
    if (a.kind === "sequence") return b.kind === "sequence" ? this.#sameSequences(a, b) : this.#sameAsSequence(a, b);
    if (b.kind === "sequence") return this.#sameAsSequence(b, a);
    if (a.kind === "set-operation" && b.kind === "set-operation") return this.#sameSetOperations(a, b);
    if (a.kind === "matrix" && b.kind === "matrix") return this.#sameMatrices(a, b);
    if (a.kind === "text" && b.kind === "text") return a.text.toLowerCase() === b.text.toLowerCase();
    return sameQuantity(a, b, this.#precision);
  }

  #sameAsRelation(other: Node, relation: Node & { kind: "relation" }): boolean {
    const value = assignedValue(relation) ?? membershipOf(relation)?.set;
    return value !== undefined && this.#same(other, value);
  }

  #sameSequences(a: SequenceNode, b: SequenceNode): boolean {
    if (isRealLine(a) && isRealLine(b)) return true;
    if (isCollection(a) && isCollection(b)) return this.#sameItems(a.items, b.items);
    // What stands in a list without brackets may be the coordinates of a point.
    const alike =
      (a.shape === "list" && isRoundTuple(b)) ||
      (b.shape === "list" && isRoundTuple(a)) ||
      (a.open === b.open && a.close === b.close);
    return alike && this.#sameInOrder(a.items, b.items);
  }

  #sameAsSequence(sequence: SequenceNode, other: Node): boolean {
    if (isRealLine(sequence) && isRealLine(other)) return true;
    if (other.kind === "matrix") {
      const vector = asTuple(other);
      return vector !== undefined && isRoundTuple(sequence) && this.#sameInOrder(sequence.items, vector.items);
    }
    if (sequence.shape !== "list" || sequence.items.length === 0) return false;
    if (other.kind === "set-operation") {
      const union = asUnion(sequence);
      return union !== undefined && this.#sameSetOperations(union, other);
    }
    // An answer given twice, or in two forms.
    return sequence.items.every((item) => this.#same(item, other));
  }

  #sameInOrder(a: readonly Node[], b: readonly Node[]): boolean {
    if (a.length !== b.length) return false;
    return a.every((item, index) => {
      const other = b[index];
      return other !== undefined && this.#same(item, other);
    });
  }

  #sameItems(a: readonly Node[], b: readonly Node[]): boolean {
    const covered = (items: readonly Node[], all: readonly Node[]): boolean =>
      items.every((item) => all.some((other) => this.#same(item, other)));
    return covered(a, b) && covered(b, a);
  }

  #sameSetOperations(a: SetOperationNode, b: SetOperationNode): boolean {
    if (a.op !== b.op) return false;
    return a.op === "∖" ? this.#sameInOrder(a.items, b.items) : this.#sameItems(a.items, b.items);
  }

  #sameMatrices(a: MatrixNode, b: MatrixNode): boolean {
    return a.rows.length === b.rows.length && a.rows.every((row, i) => this.#sameInOrder(row, b.rows[i] ?? []));
  }
}
