import type { CompareOp } from "./ast.ts";
import { pythonError, typeError } from "./error.ts";
import type { TemplateError } from "./error.ts";
import { isText } from "./text.ts";
import { repeated } from "./text-methods.ts";
import { compare, contains, equal, indexOf, List, Tuple, typeName, Undefined } from "./values.ts";
import type { Value } from "./values.ts";

/** Longest list that an operator makes: what is longer only serves to take all memory. */
const MAX_ITEMS = 10_000_000;

export function times(value: Value, count: bigint | boolean): Value {
  const number = Math.max(0, indexOf(count));
  if (isText(value)) return repeated(value, number);
  if (value instanceof List || value instanceof Tuple) {
    const { items } = value;
    if (items.length * number > MAX_ITEMS) throw pythonError("MemoryError", `a list of ${items.length * number} items`);
    const all = Array.from({ length: number }, () => items).flat(1);
    return value instanceof List ? new List(all) : new Tuple(all);
  }
  throw unsupported("*", value, BigInt(number));
}

export function checkedItems(items: Value[], more: readonly Value[]): Value[] {
  if (items.length + more.length > MAX_ITEMS) {
    throw pythonError("MemoryError", `a list of ${items.length + more.length} items`);
  }
  for (const item of more) items.push(item);
  return items;
}

export function unsupported(op: string, a: Value, b: Value): TemplateError {
  if (a instanceof Undefined) return a.fail();
  if (b instanceof Undefined) return b.fail();
  if (op === "+" && isText(a)) return typeError(`can only concatenate str (not "${typeName(b)}") to str`);
  return typeError(`unsupported operand type(s) for ${op}: '${typeName(a)}' and '${typeName(b)}'`);
}

export function holds(op: CompareOp, a: Value, b: Value): boolean {
  switch (op) {
    case "==":
      return equal(a, b);
    case "!=":
      return !equal(a, b);
    case "in":
      return contains(b, a);
    case "not in":
      return !contains(b, a);
    case "<":
      return compare(a, b, op) < 0;
    case "<=":
      return compare(a, b, op) <= 0;
    case ">":
      return compare(a, b, op) > 0;
    case ">=":
      return compare(a, b, op) >= 0;
  }
}
