import { evaluate, NO_POINT } from "./evaluate.ts";
import { apply, hasSymbols, INFINITY, MINUS_INFINITY, some, substitute, whole } from "./node.ts";
import type { Node, RelationNode, SequenceNode } from "./node.ts";
import type { Work } from "./work.ts";

/** One end of an interval. */
interface End {
  readonly at: number;
  readonly node: Node;
  readonly closed: boolean;
}

interface Interval {
  readonly low: End;
  readonly high: End;
}

/** A set of real numbers: intervals in rising order that neither meet nor overlap. */
export interface RealSet {
  readonly intervals: readonly Interval[];
  /** Of a condition: the variable it is about. */
  readonly variable?: string | undefined;
}

/** Sets joined into one; every one of them is gone through again for the next. */
const MAX_SETS = 20;

/** What reading a condition costs, in visits of a node. */
const COST = 150;

const LINE: Interval = {
  low: { at: Number.NEGATIVE_INFINITY, node: MINUS_INFINITY, closed: false },
  high: { at: Number.POSITIVE_INFINITY, node: INFINITY, closed: false },
};
const REALS: RealSet = { intervals: [LINE] };

/** Two ends as one number, but for rounding. */
function near(a: number, b: number): boolean {
  return a === b || (Number.isFinite(a - b) && Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b)));
}

function isNothing({ low, high }: Interval): boolean {
  if (near(low.at, high.at)) return !(low.closed && high.closed);
  return low.at > high.at;
}

/** Intervals in order, those that meet made one. */
function merged(intervals: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  const rising = intervals
    .filter((interval) => !isNothing(interval))
    .toSorted((a, b) => (a.low.at === b.low.at ? Number(b.low.closed) - Number(a.low.closed) : a.low.at - b.low.at));
  for (const next of rising) {
    const last = result.at(-1);
    const meets =
      last && (near(last.high.at, next.low.at) ? last.high.closed || next.low.closed : next.low.at < last.high.at);
    if (!last || !meets) result.push(next);
    else result.splice(-1, 1, { low: last.low, high: furthest(last.high, next.high) });
  }
  return result;
}

function furthest(a: End, b: End): End {
  if (near(a.at, b.at)) return a.closed ? a : b;
  return a.at > b.at ? a : b;
}

function complement(intervals: readonly Interval[]): Interval[] {
  const flipped = (end: End): End => ({ ...end, closed: Number.isFinite(end.at) && !end.closed });
  const result: Interval[] = [];
  let low = LINE.low;
  for (const interval of intervals) {
    result.push({ low, high: flipped(interval.low) });
    low = flipped(interval.high);
  }
  return merged([...result, { low, high: LINE.high }]);
}

function intersection(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  return complement(merged([...complement(a), ...complement(b)]));
}

/** Reads sets of reals out of expression trees. */
export class RealSetReader {
  readonly #work: Work;

  constructor(work: Work) {
    this.#work = work;
  }

  /** @returns undefined for what is no set of reals with known ends */
  read(node: Node): RealSet | undefined {
    switch (node.kind) {
      case "symbol":
        return node.name === "\\mathbb{R}" ? REALS : undefined;
      case "sequence":
        return node.shape === "tuple" ? this.#interval(node) : this.#several(node);
      case "set-operation": {
        if (node.items.length > MAX_SETS) return undefined;
        // A set of one number was taken out of its braces.
        const [first, ...rest] = node.items.map((item) => this.read(item) ?? this.#single(item));
        return rest.reduce((set, next) => {
          if (!set || !next) return undefined;
          return combined(set, next, (a, b) => {
            if (node.op === "∪") return merged([...a, ...b]);
            return intersection(a, node.op === "∩" ? b : complement(b));
          });
        }, first);
      }
      case "set-builder":
        return this.#builder(node.element, node.condition);
      case "relation":
        return this.#relation(node);
      case "qualified":
        return undefined;
      default:
        return undefined;
    }
  }

  /** The end of an interval: a real constant, or an infinity. */
  #end(node: Node, closed: boolean): End | undefined {
    if (hasSymbols(node) || some(node, ({ kind }) => !["number", "constant", "apply"].includes(kind))) return undefined;
    const { value } = evaluate(node, NO_POINT, this.#work);
    if (Number.isNaN(value.re) || value.im !== 0) return undefined;
    return { at: value.re, node, closed: closed && Number.isFinite(value.re) };
  }

  #interval({ items, open, close }: SequenceNode): RealSet | undefined {
    const [first, second, ...more] = items;
    if (!first || !second || more.length > 0) return undefined;
    const [low, high] = [this.#end(first, open === "["), this.#end(second, close === "]" && open !== "\\{")];
    return low && high && low.at <= high.at ? { intervals: merged([{ low, high }]) } : undefined;
  }

  #point(node: Node): Interval | undefined {
    const end = this.#end(node, true);
    return end && Number.isFinite(end.at) ? { low: end, high: end } : undefined;
  }

  #single(node: Node): RealSet | undefined {
    const point = this.#point(node);
    return point && { intervals: [point] };
  }

  /** A set of numbers, or conditions in a row. */
  #several(node: SequenceNode): RealSet | undefined {
    if (node.shape === "ratio") return undefined;
    const conditions = node.items.filter((item): item is RelationNode => item.kind === "relation");
    if (conditions.length === 0) {
      const points = node.items.map((item) => this.#point(item));
      const known = points.filter((point) => point !== undefined);
      return known.length === points.length ? { intervals: merged(known) } : undefined;
    }
    if (conditions.length < node.items.length || conditions.length > MAX_SETS) return undefined;
    const sets = conditions.map((condition) => this.#relation(condition));
    const union = folded(sets, (a, b) => merged([...a, ...b]));
    const common = folded(sets, intersection);
    if (node.joint === "or") return union;
    if (node.joint === "and" || conditions.some(({ ops }) => ops.includes("≠"))) return common;
    // A comma is "or" where "and" would leave nothing.
    return common?.intervals.length === 0 ? union : common;
  }

  #builder(element: Node, condition: Node): RealSet | undefined {
    const domain = element.kind === "relation" ? element.sides[1] : undefined;
    const variable = element.kind === "relation" ? element.sides[0] : element;
    if (variable?.kind !== "symbol") return undefined;
    const set = condition.kind === "relation" ? this.#relation(condition) : this.read(condition);
    if (!set || (set.variable !== undefined && set.variable !== variable.name)) return undefined;
    const within = domain ? this.read(domain) : REALS;
    const plain = within && combined({ intervals: set.intervals }, within, intersection);
    return plain && { intervals: plain.intervals };
  }

  #relation(node: RelationNode): RealSet | undefined {
    this.#work.spend(COST);
    const steps = node.ops.map((op, index): RealSet | undefined => {
      const [left, right] = [node.sides[index], node.sides[index + 1]];
      if (!left || !right) return undefined;
      if (op !== "∈") return this.#step(left, op, right);
      const set = this.read(right);
      return left.kind === "symbol" && set ? { intervals: set.intervals, variable: left.name } : undefined;
    });
    return folded(steps, intersection);
  }

  /** One linear condition on one variable, or on its distance from a point. */
  #step(left: Node, op: string, right: Node): RealSet | undefined {
    if (op === "=" || op === "≈") {
      const variable = left.kind === "symbol" ? left : right;
      const point = this.#point(left.kind === "symbol" ? right : left);
      return variable.kind === "symbol" && point ? { intervals: [point], variable: variable.name } : undefined;
    }
    if (left.kind === "apply" && left.op === "abs" && !hasSymbols(right))
      return this.#distance(left.args[0], op, right);
    const difference = apply("add", left, apply("negate", right));
    const names = new Set<string>();
    some(difference, (part) => {
      if (part.kind === "symbol") names.add(part.name);
      return false;
    });
    const [name] = names;
    if (name === undefined || names.size !== 1 || name.startsWith("\\mathbb")) return undefined;
    return this.#linear(difference, name, op);
  }

  #linear(difference: Node, name: string, op: string): RealSet | undefined {
    const at = (x: number): number => evaluate(substitute(difference, name, whole(x)), NO_POINT, this.#work).value.re;
    const [start, one, five] = [at(0), at(1), at(5)];
    const slope = one - start;
    const isLinear = Math.abs(five - start - 5 * slope) <= 1e-9 * (Math.abs(five) + Math.abs(start) + Math.abs(slope));
    if (!isLinear || slope === 0 || !Number.isFinite(slope)) return undefined;
    const atZero = substitute(difference, name, whole(0));
    const rise = apply("add", substitute(difference, name, whole(1)), apply("negate", atZero));
    // Where the variable stands alone its bound is what stands on the other side.
    const root = isBoundOf(difference, name) ?? apply("negate", apply("divide", atZero, rise));
    const end = this.#end(root, op === "≤" || op === "≥");
    if (!end) return undefined;
    if (op === "≠")
      return {
        intervals: complement([{ low: { ...end, closed: true }, high: { ...end, closed: true } }]),
        variable: name,
      };
    const isBelow = (op === "<" || op === "≤") === slope > 0;
    return { intervals: [isBelow ? { low: LINE.low, high: end } : { low: end, high: LINE.high }], variable: name };
  }

  #distance(inner: Node | undefined, op: string, bound: Node): RealSet | undefined {
    if (!inner) return undefined;
    const isWithin = op === "<" || op === "≤";
    const above = this.#step(inner, op, bound);
    const turned: Readonly<Record<string, string>> = { "<": ">", ">": "<", "≤": "≥", "≥": "≤", "≠": "≠" };
    const below = this.#step(inner, turned[op] ?? op, apply("negate", bound));
    return folded([above, below], (a, b) => (isWithin || op === "≠" ? intersection(a, b) : merged([...a, ...b])));
  }
}

/** `5` of the difference x − 5. */
function isBoundOf(difference: Node, name: string): Node | undefined {
  if (difference.kind !== "apply") return undefined;
  const [left, right] = difference.args;
  const bound = right?.kind === "apply" ? right.args[0] : undefined;
  if (left?.kind === "symbol" && left.name === name && bound && !hasSymbols(bound)) return bound;
  return bound?.kind === "symbol" && left && !hasSymbols(left) ? left : undefined;
}

/** Both sets made one, where they are about the same variable. */
function combined(
  a: RealSet,
  b: RealSet,
  join: (a: readonly Interval[], b: readonly Interval[]) => readonly Interval[],
): RealSet | undefined {
  if (a.variable !== undefined && b.variable !== undefined && a.variable !== b.variable) return undefined;
  return { intervals: join(a.intervals, b.intervals), variable: a.variable ?? b.variable };
}

function folded(
  sets: readonly (RealSet | undefined)[],
  join: (a: readonly Interval[], b: readonly Interval[]) => readonly Interval[],
): RealSet | undefined {
  const [first, ...rest] = sets;
  return rest.reduce((set, next) => set && next && combined(set, next, join), first);
}

/** Do both sets have the same ends? */
export function sameRealSets(a: RealSet, b: RealSet, same: (a: Node, b: Node) => boolean): boolean {
  if (a.variable !== undefined && b.variable !== undefined && a.variable !== b.variable) return false;
  if (a.intervals.length !== b.intervals.length) return false;
  const sameEnd = (x: End, y: End): boolean => x.closed === y.closed && same(x.node, y.node);
  return a.intervals.every((interval, index) => {
    const other = b.intervals[index];
    return other !== undefined && sameEnd(interval.low, other.low) && sameEnd(interval.high, other.high);
  });
}
