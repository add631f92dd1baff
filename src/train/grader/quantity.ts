import { apply } from "./node.ts";
import type { Node, QuantityNode } from "./node.ts";
import { decimal } from "./rational.ts";
import { sameDimension, unitPower, unitProduct } from "./units.ts";
import type { Unit } from "./units.ts";

export function quantity(value: Node, unit: Unit): Node {
  if (value.kind === "quantity") return quantity(value.value, unitProduct(value.unit, unit));
  if (Object.keys(unit.powers).length === 0) return scaled(value, unit.factor);
  return { kind: "quantity", value, unit };
}

/** The number of what is measured, without its unit. */
export function bare(node: Node): Node {
  return node.kind === "quantity" ? node.value : node;
}

/** A value times a conversion factor. */
export function scaled(value: Node, factor: number): Node {
  if (Math.abs(factor - 1) < 1e-12) return value;
  const isInverse = factor < 1;
  const size = isInverse ? 1 / factor : factor;
  const rational = size < 1e15 ? decimal(size.toFixed(9)) : undefined;
  if (!rational) return apply("call", { kind: "symbol", name: `conversion ${factor}` }, value);
  // 1000/3600 has no short decimal, but its inverse has.
  const by: Node = { kind: "number", value: rational, decimal: false, decimals: 0 };
  return apply(isInverse ? "divide" : "multiply", value, by);
}

function isQuantity(node: Node): node is QuantityNode {
  return node.kind === "quantity";
}

/** The same operation, with its operands' units worked out: sums of one dimension, products, quotients. */
export function applyToQuantities(op: string, ...args: readonly Node[]): Node {
  const [first] = args.filter(isQuantity);
  if (!first) return apply(op, ...args);
  const values = args.map(bare);
  if (op === "negate" || op === "percent") return quantity(apply(op, ...values), first.unit);
  if (op === "multiply")
    return quantity(
      apply(op, ...values),
      args
        .filter(isQuantity)
        .map((arg) => arg.unit)
        .reduce(unitProduct),
    );
  if (op === "divide") {
    const [top, bottom] = args;
    const none: Unit = { factor: 1, powers: {} };
    const [above, below] = [top, bottom].map((arg) => (arg && isQuantity(arg) ? arg.unit : none));
    return quantity(apply(op, ...values), unitProduct(above ?? none, unitPower(below ?? none, -1)));
  }
  if (op === "add" || op === "plus-minus" || op === "minus-plus") {
    const isOne = args.every((arg) => !isQuantity(arg) || sameDimension(arg.unit, first.unit));
    if (isOne) {
      const terms = args.map((arg) => (isQuantity(arg) ? scaled(arg.value, arg.unit.factor / first.unit.factor) : arg));
      return quantity(apply(op, ...terms), first.unit);
    }
  }
  return apply(op, ...values);
}
