import { pythonError, TemplateError, typeError } from "./error.ts";
import { charsOf, isText, plain } from "./text.ts";
import type { Text } from "./text.ts";

/**
 * Python's values as a template sees them. Whole numbers are bigints, so that `1` and `1.0` differ and nothing overflows;
 * floats are numbers.
 */
export type Value = null | boolean | bigint | number | Text | PyObject;

/** Every value that is not a number, a string, a boolean or None. */
export abstract class PyObject {
  abstract readonly typeName: string;

  /** @returns JavaScript's undefined where there is no such attribute */
  attribute(_name: string): Value | undefined {
    return undefined;
  }
}

export class List extends PyObject {
  readonly typeName = "list";
  readonly items: Value[];

  constructor(items: Value[]) {
    super();
    this.items = items;
  }
}

export class Tuple extends PyObject {
  readonly typeName: string = "tuple";
  readonly items: readonly Value[];
  /** Names of the items, for what `groupby` gives. */
  readonly names: readonly string[];

  constructor(items: readonly Value[], names: readonly string[] = []) {
    super();
    this.items = items;
    this.names = names;
  }

  override attribute(name: string): Value | undefined {
    const at = this.names.indexOf(name);
    return at < 0 ? undefined : this.items[at];
  }
}

export class Dict extends PyObject {
  readonly typeName = "dict";
  readonly #entries = new Map<unknown, readonly [Value, Value]>();

  constructor(entries: Iterable<readonly [Value, Value]> = []) {
    super();
    for (const [key, value] of entries) this.set(key, value);
  }

  get size(): number {
    return this.#entries.size;
  }

  set(key: Value, value: Value): void {
    const hash = hashOf(key);
    // As in Python, the first of equal keys stays.
    const known = this.#entries.get(hash);
    this.#entries.set(hash, [known ? known[0] : key, value]);
  }

  get(key: Value): Value | undefined {
    return this.#entries.get(hashOf(key))?.[1];
  }

  entries(): IterableIterator<readonly [Value, Value]> {
    return this.#entries.values();
  }

  keys(): Value[] {
    return Array.from(this.#entries.values(), ([key]) => key);
  }

  values(): Value[] {
    return Array.from(this.#entries.values(), ([, value]) => value);
  }
}

/** `dict.keys()`, `dict.values()`, `dict.items()`. */
export class DictView extends PyObject {
  readonly typeName: string;
  readonly dict: Dict;
  readonly kind: "keys" | "values" | "items";

  constructor(dict: Dict, kind: "keys" | "values" | "items") {
    super();
    this.dict = dict;
    this.kind = kind;
    this.typeName = `dict_${kind}`;
  }

  list(): Value[] {
    if (this.kind === "keys") return this.dict.keys();
    if (this.kind === "values") return this.dict.values();
    return Array.from(this.dict.entries(), (entry) => new Tuple(entry));
  }
}

export class Range extends PyObject {
  readonly typeName = "range";
  readonly start: bigint;
  readonly stop: bigint;
  readonly step: bigint;
  readonly length: number;

  constructor(start: bigint, stop: bigint, step: bigint) {
    super();
    this.start = start;
    this.stop = stop;
    this.step = step;
    const span = step > 0n ? stop - start : start - stop;
    const size = step > 0n ? step : -step;
    this.length = span <= 0n ? 0 : Number((span + size - 1n) / size);
  }

  at(index: number): bigint {
    return this.start + BigInt(index) * this.step;
  }

  override attribute(name: string): Value | undefined {
    return name === "start" || name === "stop" || name === "step" ? this[name] : undefined;
  }
}

/** A generator or an iterator: it can be gone through once, and has no length. */
export class Iter extends PyObject {
  readonly typeName: string = "generator";
  readonly iterator: Iterator<Value>;

  constructor(values: Iterable<Value>) {
    super();
    this.iterator = values[Symbol.iterator]();
  }
}

export type Kwargs = ReadonlyMap<string, Value>;

export class Callable extends PyObject {
  readonly typeName: string = "function";
  readonly name: string;
  readonly call: (args: readonly Value[], kwargs: Kwargs) => Value;

  constructor(name: string, call: (args: readonly Value[], kwargs: Kwargs) => Value) {
    super();
    this.name = name;
    this.call = call;
  }
}

export class Namespace extends PyObject {
  readonly typeName = "Namespace";
  readonly dict: Dict;

  constructor(dict: Dict) {
    super();
    this.dict = dict;
  }

  override attribute(name: string): Value | undefined {
    return this.dict.get(name);
  }
}

/** A name or an attribute that is not there: prints nothing, is false and empty; any other use is an error. */
export class Undefined extends PyObject {
  readonly typeName = "Undefined";
  readonly hint: string;

  constructor(hint: string) {
    super();
    this.hint = hint;
  }

  fail(): TemplateError {
    return new TemplateError(this.hint);
  }
}

/** The value, or another where there is none; unlike `??`, None is a value. */
export function orElse(value: Value | undefined, other: () => Value): Value {
  return value === undefined ? other() : value;
}

export function typeName(value: Value): string {
  if (value === null) return "NoneType";
  if (isText(value)) return "str";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return "float";
    default:
      return value.typeName;
  }
}

export function isInt(value: Value): value is bigint | boolean {
  return typeof value === "bigint" || typeof value === "boolean";
}

export function isNumber(value: Value): value is bigint | boolean | number {
  return isInt(value) || typeof value === "number";
}

/** A bool or a whole number as a bigint. */
export function intOf(value: bigint | boolean): bigint {
  return typeof value === "bigint" ? value : value ? 1n : 0n;
}

export function floatOf(value: bigint | boolean | number): number {
  return Number(value);
}

/** A small whole number, as Python's functions take it for an index or a count. @throws TemplateError */
export function indexOf(value: Value, what = "an index"): number {
  if (value instanceof Undefined) throw value.fail();
  if (!isInt(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer (${what})`);
  const number = Number(value);
  return Math.max(-Number.MAX_SAFE_INTEGER, Math.min(Number.MAX_SAFE_INTEGER, number));
}

export function truthy(value: Value): boolean {
  if (value === null) return false;
  if (isText(value)) return plain(value) !== "";
  if (typeof value === "number") return value !== 0;
  if (typeof value === "boolean") return value;
  if (typeof value === "bigint") return value !== 0n;
  if (value instanceof Undefined) return false;
  return sizeOf(value) !== 0;
}

/** Number of elements; undefined for what has no length. */
export function sizeOf(value: PyObject): number | undefined {
  if (value instanceof List || value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof DictView) return value.dict.size;
  if (value instanceof Range) return value.length;
  if (value instanceof Undefined) return 0;
  return undefined;
}

/** The elements one by one; undefined for what cannot be gone through. */
export function iteratorOf(value: Value): Iterator<Value> | undefined {
  if (isText(value)) return charsOf(value)[Symbol.iterator]();
  if (!(value instanceof PyObject)) return undefined;
  if (value instanceof List || value instanceof Tuple) return value.items[Symbol.iterator]();
  if (value instanceof Dict) return value.keys()[Symbol.iterator]();
  if (value instanceof DictView) return value.list()[Symbol.iterator]();
  if (value instanceof Range) return rangeValues(value);
  if (value instanceof Iter) return value.iterator;
  if (value instanceof Undefined) return [][Symbol.iterator]();
  return undefined;
}

function* rangeValues(range: Range): Generator<Value> {
  for (let i = 0; i < range.length; i++) yield range.at(i);
}

/** @throws TemplateError for what cannot be gone through */
export function iterate(value: Value): Iterable<Value> {
  const iterator = iteratorOf(value);
  if (!iterator) throw typeError(`'${typeName(value)}' object is not iterable`);
  return { [Symbol.iterator]: () => iterator };
}

export function listOf(value: Value): Value[] {
  return Array.from(iterate(value));
}

let objects = 0;
const OBJECT_IDS = new WeakMap<PyObject, number>();

/** A key of a JavaScript map that is equal where Python's values are. @throws TemplateError for what has no hash */
export function hashOf(value: Value): unknown {
  if (value === null) return "none";
  if (isText(value)) return `s${plain(value)}`;
  if (isInt(value)) return intOf(value);
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (value instanceof Tuple)
    return `t${value.items.map((item) => `${typeof item}:${String(hashOf(item))}`).join(",")}`;
  if (value instanceof List || value instanceof Dict) throw typeError(`unhashable type: '${value.typeName}'`);
  if (value instanceof Undefined) return "undefined";
  let id = OBJECT_IDS.get(value);
  if (id === undefined) OBJECT_IDS.set(value, (id = ++objects));
  return `o${id}`;
}

export function equal(a: Value, b: Value): boolean {
  if (isNumber(a) && isNumber(b)) {
    if (isInt(a) && isInt(b)) return intOf(a) === intOf(b);
    // JavaScript orders a bigint and a number by value, but `===` also asks for the type.
    const [x, y] = [numeric(a), numeric(b)];
    return !(x < y) && !(x > y) && !Number.isNaN(x) && !Number.isNaN(y);
  }
  if (isText(a) || isText(b)) return isText(a) && isText(b) && plain(a) === plain(b);
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    return a.items.length === b.items.length && a.items.every((item, i) => equal(item, b.items[i] ?? null));
  }
  if (a instanceof Dict && b instanceof Dict) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a.entries()) {
      const other = b.get(key);
      if (other === undefined || !equal(value, other)) return false;
    }
    return true;
  }
  if (a instanceof Range && b instanceof Range) {
    return (
      a.length === b.length && (a.length === 0 || (a.start === b.start && a.at(a.length - 1) === b.at(b.length - 1)))
    );
  }
  if (a instanceof Undefined && b instanceof Undefined) return true;
  return a === b;
}

function numeric(value: bigint | boolean | number): bigint | number {
  return typeof value === "boolean" ? intOf(value) : value;
}

/**
 * Order of two values: below 0, 0 or above 0; NaN where neither comes first.
 * @param op as the error names it
 * @throws TemplateError for values that have no order
 */
export function compare(a: Value, b: Value, op = "<"): number {
  if (a instanceof Undefined) throw a.fail();
  if (b instanceof Undefined) throw b.fail();
  if (isNumber(a) && isNumber(b)) {
    const [x, y] = [numeric(a), numeric(b)];
    return x < y ? -1 : x > y ? 1 : x <= y ? 0 : Number.NaN;
  }
  if (isText(a) && isText(b)) return compareText(plain(a), plain(b));
  if ((a instanceof List && b instanceof List) || (a instanceof Tuple && b instanceof Tuple)) {
    for (const [i, item] of a.items.entries()) {
      const other = b.items[i];
      if (other === undefined) return 1;
      if (!equal(item, other)) return compare(item, other, op);
    }
    return a.items.length - b.items.length;
  }
  throw typeError(`'${op}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`);
}

/** By code points, as Python orders strings. */
function compareText(a: string, b: string): number {
  let at = 0;
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++;
  if (at === a.length || at === b.length) return a.length - b.length;
  // Units of one pair of surrogates are compared as the pair they belong to.
  if (at > 0 && isLow(a.charCodeAt(at)) && isLow(b.charCodeAt(at))) at--;
  return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** Python's `in`. @throws TemplateError */
export function contains(container: Value, item: Value): boolean {
  if (isText(container)) {
    if (!isText(item)) {
      if (item instanceof Undefined) throw item.fail();
      throw typeError(`'in <string>' requires string as left operand, not ${typeName(item)}`);
    }
    return plain(container).includes(plain(item));
  }
  if (container instanceof Dict) return container.get(item) !== undefined;
  if (container instanceof DictView && container.kind === "keys") return container.dict.get(item) !== undefined;
  const iterator = iteratorOf(container);
  if (!iterator) throw typeError(`argument of type '${typeName(container)}' is not iterable`);
  for (const one of iterate(container)) if (equal(one, item)) return true;
  return false;
}

/** A sorted copy, as Python's `sorted`: stable, also when reversed. @throws TemplateError for values without order */
export function sorted(values: readonly Value[], key: (value: Value) => Value, reverse = false): Value[] {
  const keyed = values.map((value) => ({ value, key: key(value) }));
  const sign = reverse ? -1 : 1;
  return keyed.toSorted((a, b) => sign * (compare(a.key, b.key) || 0)).map(({ value }) => value);
}

export function keyError(key: string): TemplateError {
  return pythonError("KeyError", key);
}
