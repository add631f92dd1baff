import { typeError, valueError } from "./error.ts";
import { charsOf, cut, isText, join, plain } from "./text.ts";
import { indexOf, List, Range, Tuple, typeName } from "./values.ts";
import type { Value } from "./values.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** Python's slice of a sequence; None leaves a bound out. @throws TemplateError for what cannot be cut */
export function sliced(value: Value, start: Value, stop: Value, step: Value): Value {
  const by = step === null ? 1 : indexOf(step, "a slice's step");
  if (by === 0) throw valueError("slice step cannot be zero");
  if (isText(value)) {
    const string = plain(value);
    if (by === 1 && !SURROGATE.test(string)) {
      const [from, to] = bounds(string.length, start, stop, by);
      return cut(value, from, Math.max(from, to));
    }
    return join(picked(charsOf(value), start, stop, by));
  }
  if (value instanceof List) return new List(picked(value.items, start, stop, by));
  if (value instanceof Tuple) return new Tuple(picked(value.items, start, stop, by));
  if (value instanceof Range) {
    const [from, to] = bounds(value.length, start, stop, by);
    return new Range(value.at(from), value.at(to), value.step * BigInt(by));
  }
  throw typeError(`'${typeName(value)}' object is not subscriptable`);
}

function picked<T>(items: readonly T[], start: Value, stop: Value, step: number): T[] {
  const [from, to] = bounds(items.length, start, stop, step);
  const found: T[] = [];
  for (let i = from; step > 0 ? i < to : i > to; i += step) {
    const item = items[i];
    if (item !== undefined) found.push(item);
  }
  return found;
}

/** First index and the one before which to stop, both within the sequence (or just outside). */
export function bounds(length: number, start: Value, stop: Value, step: number): readonly [number, number] {
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1];
  const place = (value: Value, otherwise: number): number => {
    if (value === null) return otherwise;
    const index = indexOf(value, "a slice's bound");
    return Math.min(Math.max(index < 0 ? index + length : index, low), high);
  };
  return [place(start, step > 0 ? low : high), place(stop, step > 0 ? high : low)];
}
