import { areEnumerated, asCoordinates, assignmentsOf, isList, valuesOfOneName } from "./assignments.ts";
import type { Assignments } from "./assignments.ts";
import { apply, INFINITY, MINUS_INFINITY, some, substitute, whole } from "./node.ts";
import type { MatrixNode, Node, QualifiedNode, QuantityNode, SequenceNode, SetOperationNode } from "./node.ts";
import { sameQuantity } from "./numbers.ts";
import { scaled } from "./quantity.ts";
import { RealSetReader, sameRealSets } from "./real-set.ts";
import type { RealSet } from "./real-set.ts";
import { assignedValue, isRelation, sameConditions, sameName, withSameArguments } from "./relations.ts";
import { domainVariable, isCollection, unfolded, withSameUnits } from "./unfold.ts";
import { sameDimension } from "./units.ts";
import { Work } from "./work.ts";

function isRoundTuple(node: Node): boolean {
  return node.kind === "sequence" && node.shape === "tuple" && node.open === "(" && node.close === ")";
}

/** Square brackets around three or more values are no interval. */
function isPoint(node: Node): node is SequenceNode {
  if (node.kind !== "sequence" || node.shape !== "tuple") return false;
  return isRoundTuple(node) || (node.open === "[" && node.close === "]" && node.items.length > 2);
}

/** A row or column as a tuple of its entries. */
function asTuple(node: MatrixNode): readonly Node[] | undefined {
  const isVector = node.rows.length === 1 || node.rows.every((row) => row.length === 1);
  return isVector ? node.rows.flat() : undefined;
}

const REALS = "\\mathbb{R}";

function isRealLine(node: Node): boolean {
  if (node.kind === "symbol") return node.name === REALS;
  if (node.kind !== "sequence" || !isRoundTuple(node) || node.items.length !== 2) return false;
  const isInfinity = (item: Node | undefined, other: Node): boolean =>
    JSON.stringify(item, plain) === JSON.stringify(other);
  return isInfinity(node.items[0], MINUS_INFINITY) && isInfinity(node.items[1], INFINITY);
}

const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value);

/** Could a set of numbers be meant? A list of numbers is compared as a list. */
function mayBeSet(node: Node): boolean {
  if (node.kind === "set-operation" || node.kind === "set-builder" || isRelation(node)) return true;
  if (node.kind === "symbol") return node.name === REALS;
  if (node.kind !== "sequence" || node.shape === "ratio") return false;
  return node.shape === "tuple" || node.shape === "set" || node.items.some(isRelation);
}

/** Is it a set for sure, and not a point? */
function isSurelySet(node: Node): boolean {
  return mayBeSet(node) && !(isRoundTuple(node) || (node.kind === "sequence" && node.shape === "set"));
}

const NONE: Assignments = { values: new Map() };

/** Compares expression trees; `precision` is the number of decimals a rounded number must at least have. */
export class Comparison {
  readonly #precision: number;
  readonly #work: Work;
  readonly #sets: RealSetReader;

  constructor(precision: number, work = new Work()) {
    this.#precision = precision;
    this.#work = work;
    this.#sets = new RealSetReader(work);
  }

  /**
   * Do both trees give the same answer?
   * @throws TooMuchWork
   */
  same(gold: Node, prediction: Node): boolean {
    return this.#same(...withSameUnits(unfolded(gold), unfolded(prediction)));
  }

  #same(a: Node, b: Node): boolean {
    this.#work.spend(1);
    if (a.kind === "qualified" || b.kind === "qualified") return this.#sameQualified(a, b);
    if (this.#isAssignment(a) || this.#isAssignment(b)) {
      const named = this.#sameAssignments(a, b);
      if (named !== undefined) return named;
    }
    if (isRelation(a) && isRelation(b)) return this.#sameRelations(a, b);
    const sets = this.#sameSets(a, b);
    if (sets !== undefined) return sets;
    if (isRelation(a)) return this.#sameAsRelation(b, a);
    if (isRelation(b)) return this.#sameAsRelation(a, b);
    if (a.kind === "quantity" && b.kind === "quantity") return this.#sameQuantities(a, b);
    if (a.kind === "quantity") return this.#sameAsQuantity(a, b);
    if (b.kind === "quantity") return this.#sameAsQuantity(b, a);
    if (a.kind === "sequence") return b.kind === "sequence" ? this.#sameSequences(a, b) : this.#sameAsSequence(a, b);
    if (b.kind === "sequence") return this.#sameAsSequence(b, a);
    if (a.kind === "set-operation" && b.kind === "set-operation") return this.#sameSetOperations(a, b);
    if (a.kind === "matrix" && b.kind === "matrix") return this.#sameMatrices(a, b);
    if (a.kind === "text" && b.kind === "text") return a.text.toLowerCase() === b.text.toLowerCase();
    return sameQuantity(a, b, this.#precision, this.#work);
  }

  readonly #compare = (a: Node, b: Node): boolean => this.#same(a, b);

  /** Equations in a list, where the list is more than its values. */
  #isAssignment(node: Node): boolean {
    return isList(node) && node.items.some(isRelation);
  }

  /** @returns undefined where one side gives no values to names */
  #sameAssignments(a: Node, b: Node): boolean | undefined {
    const [left, right] = [assignmentsOf(a), assignmentsOf(b)];
    const isNamed = (node: Node): boolean => isRelation(node) || this.#isAssignment(node);
    if (left && right && isNamed(a) && isNamed(b))
      return this.#sameNames(left, right) || this.#sameRootsOf(left, right);
    if (left && isNamed(a) && !isNamed(b)) return this.#sameAsNamed(b, left);
    if (right && isNamed(b) && !isNamed(a)) return this.#sameAsNamed(a, right);
    return undefined;
  }

  #sameNames(a: Assignments, b: Assignments): boolean {
    if (a.values.size !== b.values.size) return false;
    return [...a.values].every(([name, values]) => this.#sameItems(values, b.values.get(name) ?? []));
  }

  /** `x = 1 or x = 2` and `x_1 = 1, x_2 = 2` */
  #sameRootsOf(a: Assignments, b: Assignments): boolean {
    const [one, other] = [
      valuesOfOneName(a) ?? valuesOfOneName(b) ?? [],
      areEnumerated(a) ? a : areEnumerated(b) ? b : NONE,
    ];
    const [many] = [...(valuesOfOneName(a) ? b : a).values.keys()];
    const [name] = [...(valuesOfOneName(a) ? a : b).values.keys()];
    return one.length > 1 && many?.split("_")[0] === name && this.#sameItems(one, [...other.values.values()].flat());
  }

  /** Values with names against values without: one name's values are a set, several names' a point. */
  #sameAsNamed(other: Node, named: Assignments): boolean {
    const values = valuesOfOneName(named);
    if (values) {
      if (isCollection(other)) return this.#sameItems(values, other.items);
      return values.length === 1 && values.every((value) => this.#same(value, other));
    }
    // Roots that are numbered: x₁ = 5, x₂ = −1.
    if (areEnumerated(named) && isCollection(other))
      return this.#sameItems([...named.values.values()].flat(), other.items);
    const coordinates = asCoordinates(named);
    if (!coordinates) return false;
    const items = other.kind === "matrix" ? asTuple(other) : isList(other) || isPoint(other) ? other.items : undefined;
    return items !== undefined && this.#sameInOrder(coordinates, items);
  }

  #sameRelations(a: Node & { kind: "relation" }, renamed: Node & { kind: "relation" }): boolean {
    const b = withSameArguments(a, renamed);
    const [left, right] = [assignedValue(a), assignedValue(b)];
    if (left && right && sameName(a, b, this.#compare)) return this.#same(left, right);
    if (sameConditions(a, b, this.#work)) return true;
    return this.#sameSets(a, b) ?? false;
  }

  #sameAsRelation(other: Node, relation: Node & { kind: "relation" }): boolean {
    const value = assignedValue(relation);
    return value !== undefined && this.#same(other, value);
  }

  /** @returns undefined where one side is no set of reals, or both may be points */
  #sameSets(a: Node, b: Node): boolean | undefined {
    if (!mayBeSet(a) || !mayBeSet(b) || !(isSurelySet(a) || isSurelySet(b))) return undefined;
    const [left, right] = [this.#sets.read(a), this.#sets.read(b)];
    if (!left || !right) return undefined;
    return sameRealSets(this.#unnamed(left, b), this.#unnamed(right, a), (x, y) => {
      return sameQuantity(x, y, this.#precision, this.#work);
    });
  }

  /** The variable of a condition matters only against another condition. */
  #unnamed(set: RealSet, other: Node): RealSet {
    return isRelation(other) || this.#isAssignment(other) ? set : { intervals: set.intervals };
  }

  #sameQualified(a: Node, b: Node): boolean {
    const [left, right] = [a, b].map((node) => (node.kind === "qualified" ? node : undefined));
    if (left?.by === "modulus" || right?.by === "modulus") {
      return left !== undefined && right !== undefined && this.#sameClasses(left, right);
    }
    if (!left || !right) return this.#same(left?.value ?? a, right?.value ?? b);
    const [from, to] = [domainVariable(right.condition), domainVariable(left.condition)];
    const isRenamed = from !== undefined && to !== undefined;
    const renamed = isRenamed && from !== to ? substitute(right, from, { kind: "symbol", name: to }) : right;
    if (renamed.kind !== "qualified" || !this.#same(left.value, renamed.value)) return false;
    const { condition } = renamed;
    return this.#sameDomains(left.condition, condition) || this.#same(left.condition, condition);
  }

  #sameDomains(a: Node, b: Node): boolean {
    return domainVariable(a) !== undefined && JSON.stringify(a, plain) === JSON.stringify(b, plain);
  }

  /** `x ≡ 3 (mod 7)` and 10 (mod 7) */
  #sameClasses(a: QualifiedNode, b: QualifiedNode): boolean {
    if (a.by !== b.by || !this.#same(a.condition, b.condition)) return false;
    const values = [a.value, b.value].map((value) => (isRelation(value) ? assignedValue(value) : value));
    const [left, right] = values.map((value) => value && apply("modulo", value, a.condition));
    return left !== undefined && right !== undefined && this.#same(left, right);
  }

  /** Two units must agree, or one be converted into the other. */
  #sameQuantities(a: QuantityNode, b: QuantityNode): boolean {
    if (!sameDimension(a.unit, b.unit)) return false;
    return this.#same(scaled(a.value, a.unit.factor / b.unit.factor), b.value);
  }

  /** A unit on one side only is taken for granted. */
  #sameAsQuantity(measured: QuantityNode, other: Node): boolean {
    if (isList(other)) return other.items.length > 0 && other.items.every((item) => this.#same(measured, item));
    if (this.#same(measured.value, other)) return true;
    // An angle in degrees is also a number of radians, which has π in it.
    const hasPi = some(other, (part) => part.kind === "constant" && part.name === "pi");
    if (!hasPi || measured.unit.powers["deg"] !== 1) return false;
    return this.#same(apply("divide", apply("multiply", measured.value, PI), whole(180)), other);
  }

  #sameSequences(a: SequenceNode, b: SequenceNode): boolean {
    if (isRealLine(a) && isRealLine(b)) return true;
    if (isCollection(a) && isCollection(b)) return this.#sameItems(a.items, b.items);
    if (a.shape === "ratio" || b.shape === "ratio") return a.shape === b.shape && this.#proportional(a.items, b.items);
    // What stands in a list without brackets may be the coordinates of a point.
    const alike =
      (a.shape === "list" && isPoint(b)) ||
      (b.shape === "list" && isPoint(a)) ||
      (isPoint(a) && isPoint(b)) ||
      (a.open === b.open && a.close === b.close);
    return alike && this.#sameInOrder(a.items, b.items);
  }

  #proportional(a: readonly Node[], b: readonly Node[]): boolean {
    const [first, other] = [a[0], b[0]];
    if (!first || !other || a.length !== b.length) return false;
    return a.slice(1).every((part, index) => {
      const opposite = b[index + 1];
      return opposite !== undefined && this.#same(apply("multiply", part, other), apply("multiply", opposite, first));
    });
  }

  #sameAsSequence(sequence: SequenceNode, other: Node): boolean {
    if (isRealLine(sequence) && isRealLine(other)) return true;
    if (other.kind === "matrix") {
      const vector = asTuple(other);
      return vector !== undefined && isPoint(sequence) && this.#sameInOrder(sequence.items, vector);
    }
    const [first, second, ...more] = sequence.items;
    if (sequence.shape === "ratio" && first && second && more.length === 0)
      return this.#same(apply("divide", first, second), other);
    if (sequence.shape !== "list" || !first) return false;
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

const PI: Node = { kind: "constant", name: "pi" };
