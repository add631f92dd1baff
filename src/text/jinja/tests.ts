import { bind } from "./call.ts";
import { pythonError, typeError } from "./error.ts";
import { arithmetic } from "./numbers.ts";
import { str } from "./repr.ts";
import { isSafe, isText, plain } from "./text.ts";
import { isCase } from "./text-methods.ts";
import {
  Callable,
  compare,
  contains,
  Dict,
  equal,
  isNumber,
  iteratorOf,
  List,
  Range,
  Tuple,
  typeName,
  Undefined,
} from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

type Test = (value: Value, args: readonly Value[], kwargs: Kwargs) => boolean;

function operand(name: string, args: readonly Value[], kwargs: Kwargs): Value {
  const [other = null] = bind(name, ["other"], args, kwargs);
  return other;
}

function remainder(value: Value, by: Value): Value {
  if (value instanceof Undefined) throw value.fail();
  if (!isNumber(value) || !isNumber(by)) {
    if (isText(value)) throw typeError("not all arguments converted during string formatting");
    throw typeError(`unsupported operand type(s) for %: '${typeName(value)}' and '${typeName(by)}'`);
  }
  return arithmetic("%", value, by);
}

function ordered(op: string, holds: (order: number) => boolean): Test {
  return (value, args, kwargs) => holds(compare(value, operand(op, args, kwargs), op));
}

const equals: Test = (value, args, kwargs) => equal(value, operand("eq", args, kwargs));
const differs: Test = (value, args, kwargs) => !equals(value, args, kwargs);
const less = ordered("<", (order) => order < 0);
const lessOrEqual = ordered("<=", (order) => order <= 0);
const greater = ordered(">", (order) => order > 0);
const greaterOrEqual = ordered(">=", (order) => order >= 0);

function isSequence(value: Value): boolean {
  if (isText(value) || value instanceof Undefined) return true;
  return value instanceof List || value instanceof Tuple || value instanceof Dict || value instanceof Range;
}

/** Jinja2's tests (`x is …`), but for those that need the interpreter. */
export const TESTS: ReadonlyMap<string, Test> = new Map<string, Test>([
  ["odd", (value) => equal(remainder(value, 2n), 1n)],
  ["even", (value) => equal(remainder(value, 2n), 0n)],
  [
    "divisibleby",
    (value, args, kwargs) => equal(remainder(value, bind("divisibleby", ["num"], args, kwargs)[0] ?? null), 0n),
  ],
  ["defined", (value) => !(value instanceof Undefined)],
  ["undefined", (value) => value instanceof Undefined],
  ["none", (value) => value === null],
  ["boolean", (value) => typeof value === "boolean"],
  ["false", (value) => value === false],
  ["true", (value) => value === true],
  ["integer", (value) => typeof value === "bigint"],
  ["float", (value) => typeof value === "number"],
  ["lower", (value) => isCase(str(value), "lower")],
  ["upper", (value) => isCase(str(value), "upper")],
  ["string", (value) => isText(value)],
  ["mapping", (value) => value instanceof Dict],
  ["number", (value) => isNumber(value)],
  ["sequence", isSequence],
  ["iterable", (value) => iteratorOf(value) !== undefined],
  ["callable", (value) => value instanceof Callable || value instanceof Undefined],
  [
    "sameas",
    (value, args, kwargs) => {
      const other = operand("sameas", args, kwargs);
      if (isText(value) && isText(other)) return plain(value) === plain(other);
      return typeof value === typeof other && value === other;
    },
  ],
  ["escaped", (value) => isText(value) && isSafe(value)],
  ["in", (value, args, kwargs) => contains(bind("in", ["seq"], args, kwargs)[0] ?? null, value)],
  ["==", equals],
  ["eq", equals],
  ["equalto", equals],
  ["!=", differs],
  ["ne", differs],
  [">", greater],
  ["gt", greater],
  ["greaterthan", greater],
  [">=", greaterOrEqual],
  ["ge", greaterOrEqual],
  ["<", less],
  ["lt", less],
  ["lessthan", less],
  ["<=", lessOrEqual],
  ["le", lessOrEqual],
]);

/** Python's `len`. @throws TemplateError for what has no length */
export function lengthError(value: Value): Error {
  return pythonError("TypeError", `object of type '${typeName(value)}' has no len()`);
}
