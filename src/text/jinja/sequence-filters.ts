import { itemOf } from "./attributes.ts";
import { bind } from "./call.ts";
import { TemplateError, typeError } from "./error.ts";
import { sliced } from "./slice.ts";
import { isText, lengthOf, mapPieces, plain } from "./text.ts";
import { textArg } from "./text-split.ts";
import { lengthError } from "./tests.ts";
import {
  compare,
  Dict,
  equal,
  hashOf,
  Iter,
  iterate,
  List,
  listOf,
  orElse,
  PyObject,
  sizeOf,
  sorted,
  truthy,
  Tuple,
  typeName,
  Undefined,
} from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

/** What filters need of the interpreter. */
export interface FilterHost {
  filter(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): Value;
  test(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): boolean;
  add(a: Value, b: Value): Value;
}

export type Filter = (value: Value, args: readonly Value[], kwargs: Kwargs, host: FilterHost) => Value;

function ignoreCase(value: Value): Value {
  return isText(value) ? mapPieces(value, (piece) => piece.toLowerCase()) : value;
}

export function same(value: Value): Value {
  return value;
}

export function keyed(isCaseSensitive: Value | undefined): (value: Value) => Value {
  return truthy(isCaseSensitive ?? false) ? same : ignoreCase;
}

/** Looks an attribute up by a path of names and numbers, such as `function.name` or `items.0`. */
export function getter(
  attribute: Value | undefined,
  change: (value: Value) => Value = same,
  otherwise?: Value,
): (value: Value) => Value {
  const parts: readonly Value[] =
    attribute === undefined || attribute === null
      ? []
      : isText(attribute)
        ? plain(attribute)
            .split(".")
            .map((part) => (/^\d+$/.test(part) ? BigInt(part) : part))
        : [attribute];
  return (value) => {
    let found = value;
    for (const part of parts) {
      found = itemOf(found, part);
      if (otherwise !== undefined && otherwise !== null && found instanceof Undefined) found = otherwise;
    }
    return change(found);
  };
}

export function first(value: Value): Value {
  for (const item of iterate(value)) return item;
  return new Undefined("No first item, sequence was empty.");
}

export function last(value: Value): Value {
  if (value instanceof Iter) throw typeError(`'${value.typeName}' object is not reversible`);
  return orElse(listOf(value).at(-1), () => new Undefined("No last item, sequence was empty."));
}

export function extreme(sign: 1 | -1): Filter {
  return (value, args, kwargs) => {
    const [isCaseSensitive, attribute] = bind("min", ["case_sensitive?", "attribute?"], args, kwargs);
    const key = getter(attribute, keyed(isCaseSensitive));
    const items = listOf(value);
    const [start] = items;
    if (start === undefined) return new Undefined("No aggregated item, sequence was empty.");
    return items.reduce((best, item) => (sign * compare(key(item), key(best)) > 0 ? item : best), start);
  };
}

export function length(value: Value): Value {
  if (isText(value)) return BigInt(lengthOf(value));
  const size = value instanceof PyObject ? sizeOf(value) : undefined;
  if (size === undefined) throw lengthError(value);
  return BigInt(size);
}

/** `map`: over a filter, or over an attribute. */
export const mapFilter: Filter = (value, args, kwargs, host) => {
  let each: (item: Value) => Value;
  if (args.length === 0 && kwargs.has("attribute")) {
    for (const name of kwargs.keys()) {
      if (name !== "attribute" && name !== "default") {
        throw new TemplateError(`Unexpected keyword argument '${name}'`);
      }
    }
    each = getter(kwargs.get("attribute"), same, kwargs.get("default"));
  } else {
    const [name, ...rest] = args;
    if (name === undefined) throw new TemplateError("map requires a filter argument");
    each = (item) => host.filter(plain(textArg("a filter's name", name)), item, rest, kwargs);
  }
  return new Iter(mapped(value, each));
};

function* mapped(value: Value, each: (item: Value) => Value): Generator<Value> {
  if (!truthy(value)) return;
  for (const item of iterate(value)) yield each(item);
}

/** `select`, `reject` and the same by an attribute. */
export function selecting(wanted: boolean, byAttribute: boolean): Filter {
  return (value, args, kwargs, host) => {
    const rest = byAttribute ? args.slice(1) : args;
    if (byAttribute && args.length === 0) throw new TemplateError("Missing parameter for attribute name");
    const get = byAttribute ? getter(args[0]) : same;
    const [name, ...testArgs] = rest;
    const holds = (item: Value): boolean =>
      name === undefined
        ? truthy(get(item))
        : host.test(plain(textArg("a test's name", name)), get(item), testArgs, kwargs);
    return new Iter(selected(value, (item) => holds(item) === wanted));
  };
}

function* selected(value: Value, holds: (item: Value) => boolean): Generator<Value> {
  if (!truthy(value)) return;
  for (const item of iterate(value)) if (holds(item)) yield item;
}

export function* unique(value: Value, key: (item: Value) => Value): Generator<Value> {
  const seen = new Set<unknown>();
  for (const item of iterate(value)) {
    const hash = hashOf(key(item));
    if (!seen.has(hash)) yield item;
    seen.add(hash);
  }
}

export function* batches(value: Value, size: number, fill: Value | undefined): Generator<Value> {
  let batch: Value[] = [];
  for (const item of iterate(value)) {
    if (batch.length === size) {
      yield new List(batch);
      batch = [];
    }
    batch.push(item);
  }
  if (batch.length === 0) return;
  while (fill !== undefined && fill !== null && batch.length < size) batch.push(fill);
  yield new List(batch);
}

export function* slices(value: Value, count: number, fill: Value | undefined): Generator<Value> {
  const items = listOf(value);
  const size = Math.floor(items.length / count);
  const extra = items.length % count;
  let at = 0;
  for (let i = 0; i < count; i++) {
    const end = at + size + (i < extra ? 1 : 0);
    const part = items.slice(at, end);
    if (fill !== undefined && fill !== null && i >= extra) part.push(fill);
    yield new List(part);
    at = end;
  }
}

export function groupBy(
  value: Value,
  attribute: Value,
  otherwise: Value | undefined,
  isCaseSensitive: Value | undefined,
): Value {
  const key = getter(attribute, keyed(isCaseSensitive), otherwise);
  const raw = getter(attribute, same, otherwise);
  const groups: { key: Value; items: Value[] }[] = [];
  for (const item of sorted(listOf(value), key)) {
    const itemKey = key(item);
    const group = groups.at(-1);
    if (group && equal(group.key, itemKey)) group.items.push(item);
    else groups.push({ key: itemKey, items: [item] });
  }
  return new List(groups.map(({ items }) => new Tuple([raw(items[0] ?? null), new List(items)], ["grouper", "list"])));
}

export function reversed(value: Value): Value {
  if (isText(value)) return sliced(value, null, null, -1n);
  if (value instanceof Undefined) return new Iter([]);
  return new Iter(listOf(value).toReversed());
}

export function dictSort(value: Value, args: readonly (Value | undefined)[]): Value {
  const [isCaseSensitive = false, by = "key", isReversed = false] = args;
  if (!(value instanceof Dict)) throw typeError(`dictsort needs a mapping, not ${typeName(value)}`);
  const which = isText(by) ? plain(by) : "";
  if (which !== "key" && which !== "value") throw new TemplateError('You can only sort by either "key" or "value"');
  const pairs = Array.from(value.entries(), (entry) => new Tuple(entry));
  const change = keyed(isCaseSensitive);
  const key = (pair: Value): Value =>
    change((pair instanceof Tuple ? pair.items[which === "key" ? 0 : 1] : pair) ?? null);
  return new List(sorted(pairs, key, truthy(isReversed)));
}

export function sort(value: Value, args: readonly (Value | undefined)[]): Value {
  const [isReversed = false, isCaseSensitive = false, attribute] = args;
  const change = keyed(isCaseSensitive);
  const paths: readonly (Value | undefined)[] =
    attribute !== undefined && isText(attribute) ? plain(attribute).split(",") : [attribute];
  const getters = paths.map((path) => getter(path, change));
  const key = (item: Value): Value => new List(getters.map((get) => get(item)));
  return new List(sorted(listOf(value), key, truthy(isReversed)));
}
