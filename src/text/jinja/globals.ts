import { bind } from "./call.ts";
import { pythonError, TemplateError, typeError, valueError } from "./error.ts";
import { makeDict } from "./filters.ts";
import { strftime } from "../strftime.ts";
import { str } from "./repr.ts";
import { isText, plain } from "./text.ts";
import { Callable, intOf, isInt, Namespace, PyObject, Range, typeName, Undefined } from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

/** Limit of Jinja's sandbox (`jinja2.sandbox.MAX_RANGE`), in which transformers renders templates. */
const MAX_RANGE = 100_000;

function range(args: readonly Value[]): Value {
  const numbers = args.map((value) => {
    if (value instanceof Undefined) throw value.fail();
    if (!isInt(value)) throw typeError(`'${typeName(value)}' object cannot be interpreted as an integer`);
    return intOf(value);
  });
  const [first, second, step = 1n] = numbers;
  if (first === undefined || numbers.length > 3) throw typeError(`range expected 1 to 3 arguments, got ${args.length}`);
  if (step === 0n) throw valueError("range() arg 3 must not be zero: step must not be zero");
  const made = second === undefined ? new Range(0n, first, 1n) : new Range(first, second, step);
  if (made.length > MAX_RANGE) {
    throw pythonError("OverflowError", `range too big: ${made.length} numbers; the limit is ${MAX_RANGE}`);
  }
  return made;
}

class Cycler extends PyObject {
  readonly typeName = "Cycler";
  readonly #items: readonly Value[];
  #at = 0;

  constructor(items: readonly Value[]) {
    super();
    if (items.length === 0) throw pythonError("RuntimeError", "at least one item has to be provided");
    this.#items = items;
  }

  override attribute(name: string): Value | undefined {
    const current = this.#items[this.#at] ?? null;
    switch (name) {
      case "current":
        return current;
      case "next":
        return new Callable(name, () => {
          const item = this.#items[this.#at] ?? null;
          this.#at = (this.#at + 1) % this.#items.length;
          return item;
        });
      case "reset":
        return new Callable(name, () => {
          this.#at = 0;
          return null;
        });
      default:
        return undefined;
    }
  }
}

function joiner(args: readonly Value[], kwargs: Kwargs): Value {
  const [separator = ", "] = bind("joiner", ["sep?"], args, kwargs);
  let used = false;
  return new Callable("joiner", () => {
    if (used) return separator;
    used = true;
    return "";
  });
}

/** @param now for `strftime_now`, in milliseconds since 1970 */
export function globals(now: number | undefined): Map<string, Value> {
  const functions: readonly (readonly [string, (args: readonly Value[], kwargs: Kwargs) => Value])[] = [
    ["range", range],
    ["dict", makeDict],
    ["namespace", (args, kwargs) => new Namespace(makeDict(args, kwargs))],
    ["cycler", (args) => new Cycler(args)],
    ["joiner", joiner],
    [
      "lipsum",
      () => {
        throw new TemplateError("lipsum() writes text by chance, which a chat template must not");
      },
    ],
    [
      "raise_exception",
      (args, kwargs) => {
        const [message = null] = bind("raise_exception", ["message"], args, kwargs);
        throw new TemplateError(plain(str(message)));
      },
    ],
    [
      "strftime_now",
      (args, kwargs) => {
        const [format = null] = bind("strftime_now", ["format"], args, kwargs);
        if (!isText(format)) throw typeError(`strftime() argument 1 must be str, not ${typeName(format)}`);
        return strftime(now === undefined ? new Date() : new Date(now), plain(format));
      },
    ],
  ];
  return new Map(functions.map(([name, run]) => [name, new Callable(name, run)]));
}
