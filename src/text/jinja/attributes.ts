import { TemplateError, typeError, valueError } from "./error.ts";
import type { Lookup } from "./format.ts";
import { repr } from "./repr.ts";
import { sliced } from "./slice.ts";
import { asSafe, charsOf, isSafe, isText, plain } from "./text.ts";
import { TEXT_METHODS } from "./text-methods.ts";
import {
  Callable,
  Dict,
  DictView,
  equal,
  intOf,
  isInt,
  isNumber,
  List,
  Namespace,
  orElse,
  PyObject,
  Range,
  Tuple,
  typeName,
  Undefined,
} from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

/** Methods that change their object, which the sandbox of transformers (`ImmutableSandboxedEnvironment`) refuses. */
const LIST_CHANGES = new Set(["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"]);
const DICT_CHANGES = new Set(["clear", "pop", "popitem", "setdefault", "update"]);

/** `object.name` in a template: an attribute, else an item of that name, else undefined. */
export function attributeOf(object: Value, name: string): Value {
  const own = pythonAttribute(object, name);
  if (own !== undefined) return own;
  return orElse(itemOrNothing(object, name), () => missing(object, name));
}

/** `object[key]` in a template: an item, else an attribute of that name, else undefined. */
export function itemOf(object: Value, key: Value): Value {
  if (object instanceof Undefined) throw object.fail();
  const item = itemOrNothing(object, key);
  if (item !== undefined) return item;
  const attribute = isText(key) ? pythonAttribute(object, plain(key)) : undefined;
  return orElse(attribute, () => missing(object, key));
}

export const LOOKUP: Lookup = { attribute: attributeOf, item: itemOf };

function missing(object: Value, key: Value): Undefined {
  if (object instanceof Undefined) throw object.fail();
  const of = object === null ? "None" : `'${typeName(object)} object'`;
  return new Undefined(
    isText(key)
      ? `${of} has no attribute '${plain(key)}'`
      : `${typeName(object)} object has no element ${plain(repr(key))}`,
  );
}

function itemOrNothing(object: Value, key: Value): Value | undefined {
  if (object instanceof Dict && !(key instanceof Slice)) {
    if (key instanceof List || key instanceof Dict) return undefined;
    return object.get(key);
  }
  if (key instanceof Slice) {
    // A slice is Python's own, which looks for no attribute.
    const sequence = isText(object) || object instanceof List || object instanceof Tuple || object instanceof Range;
    if (!sequence) throw typeError(`'${typeName(object)}' object is not subscriptable`);
    return sliced(object, key.start, key.stop, key.step);
  }
  if (!isInt(key)) return undefined;
  const at = Number(intOf(key));
  const from = (length: number): number => (at < 0 ? at + length : at);
  if (isText(object)) {
    const chars = typeof object === "string" && !/[\ud800-\udfff]/.test(object) ? undefined : charsOf(object);
    if (chars) return chars[from(chars.length)];
    const string = plain(object);
    return string[from(string.length)];
  }
  if (object instanceof List || object instanceof Tuple) return object.items[from(object.items.length)];
  if (object instanceof Range) {
    const index = from(object.length);
    return index >= 0 && index < object.length ? object.at(index) : undefined;
  }
  return undefined;
}

/** A slice between brackets. */
export class Slice extends PyObject {
  readonly typeName = "slice";
  readonly start: Value;
  readonly stop: Value;
  readonly step: Value;

  constructor(start: Value, stop: Value, step: Value) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
  }
}

/** Attributes that Python has for the object itself; JavaScript's undefined where it has none of that name. */
export function pythonAttribute(object: Value, name: string): Value | undefined {
  if (object instanceof Undefined) throw object.fail();
  if (object instanceof Namespace) return object.attribute(name);
  if (name.startsWith("__") && name.endsWith("__")) return unsafe(object, name);
  if (isText(object)) {
    const method = TEXT_METHODS.get(name);
    const safe = isSafe(object);
    return method && new Callable(name, (args, kwargs) => keepSafe(method(object, args, kwargs, LOOKUP), safe));
  }
  if (isNumber(object)) return numberAttribute(object, name);
  if (object instanceof List) {
    if (LIST_CHANGES.has(name)) return unsafe(object, name);
    if (name === "copy") return new Callable(name, () => new List([...object.items]));
    return sequenceMethod(object.items, name);
  }
  if (object instanceof Tuple) return named(object, name, () => sequenceMethod(object.items, name));
  if (object instanceof Dict) return dictAttribute(object, name);
  if (object instanceof Range) {
    return named(object, name, () => sequenceMethod({ indexOf: object, length: object.length }, name));
  }
  if (object instanceof DictView) return name === "mapping" ? object.dict : undefined;
  return object instanceof PyObject ? object.attribute(name) : undefined;
}

function named(object: PyObject, name: string, other: () => Value | undefined): Value | undefined {
  const own = object.attribute(name);
  return own === undefined ? other() : own;
}

function keepSafe(value: Value, safe: boolean): Value {
  if (!safe) return value;
  if (isText(value)) return asSafe(value, true);
  return value instanceof List
    ? new List(value.items.map((item) => (isText(item) ? asSafe(item, true) : item)))
    : value;
}

function unsafe(object: Value, name: string): Undefined {
  return new Undefined(`access to attribute '${name}' of '${typeName(object)}' object is unsafe.`);
}

function numberAttribute(value: bigint | boolean | number, name: string): Value | undefined {
  switch (name) {
    case "real":
      return isInt(value) ? intOf(value) : value;
    case "imag":
      return isInt(value) ? 0n : 0;
    case "numerator":
      return isInt(value) ? intOf(value) : undefined;
    case "denominator":
      return isInt(value) ? 1n : undefined;
    case "is_integer":
      return isInt(value) ? undefined : new Callable(name, () => Number.isInteger(value));
    case "conjugate":
      return new Callable(name, () => (isInt(value) ? intOf(value) : value));
    case "bit_length": {
      if (!isInt(value)) return undefined;
      const whole = intOf(value);
      return new Callable(name, () => BigInt(whole === 0n ? 0 : (whole < 0n ? -whole : whole).toString(2).length));
    }
    default:
      return undefined;
  }
}

type Sequence = readonly Value[] | { readonly indexOf: Range; readonly length: number };

function sequenceMethod(sequence: Sequence, name: string): Value | undefined {
  const items = (): readonly Value[] =>
    "at" in sequence ? sequence : Array.from({ length: sequence.length }, (_, i) => sequence.indexOf.at(i));
  if (name === "index") {
    return new Callable(name, ([wanted = null, start, stop]) => {
      const list = items();
      const place = (value: Value | undefined, otherwise: number): number => {
        if (value === undefined || !isInt(value)) return otherwise;
        const at = Number(value);
        return at < 0 ? Math.max(0, at + list.length) : at;
      };
      const to = Math.min(place(stop, list.length), list.length);
      for (let i = place(start, 0); i < to; i++) if (equal(list[i] ?? null, wanted)) return BigInt(i);
      throw valueError(`${plain(repr(wanted))} is not in list`);
    });
  }
  if (name === "count") {
    return new Callable(name, ([wanted = null]) => BigInt(items().filter((item) => equal(item, wanted)).length));
  }
  return undefined;
}

function dictAttribute(dict: Dict, name: string): Value | undefined {
  if (DICT_CHANGES.has(name)) return unsafe(dict, name);
  switch (name) {
    case "items":
    case "keys":
    case "values":
      return new Callable(name, () => new DictView(dict, name));
    case "get":
      return new Callable(name, (args) => {
        const [key, otherwise = null] = args;
        if (key === undefined || args.length > 2) throw typeError(`get expected 1 or 2 arguments, got ${args.length}`);
        return orElse(dict.get(key), () => otherwise);
      });
    case "copy":
      return new Callable(name, () => new Dict(dict.entries()));
    case "fromkeys":
      return new Callable(name, ([keys = null, value = null]) => {
        if (!(keys instanceof List || keys instanceof Tuple)) throw typeError("fromkeys() takes a list");
        return new Dict(keys.items.map((key) => [key, value]));
      });
    default:
      return undefined;
  }
}

/** Calls a value. @throws TemplateError for what cannot be called */
export function call(callee: Value, args: readonly Value[], kwargs: Kwargs): Value {
  if (callee instanceof Callable) return callee.call(args, kwargs);
  if (callee instanceof Undefined) throw callee.fail();
  throw new TemplateError(`'${typeName(callee)}' object is not callable`);
}
