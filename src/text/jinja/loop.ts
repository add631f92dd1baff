import { typeError } from "./error.ts";
import { Callable, equal, iterate, orElse, PyObject, sizeOf, Tuple, Undefined } from "./values.ts";
import type { Value } from "./values.ts";
import { isText, lengthOf } from "./text.ts";

/** `loop` of a `for`, as far as Jinja2's goes ahead of itself: only to say which item is next or how many there are. */
export class Loop extends Callable {
  override readonly typeName = "LoopContext";
  readonly #depth: number;
  #iterator: Iterator<Value, unknown>;
  #length: number | undefined;
  /** What was looked at before its turn. */
  readonly #ahead: Value[] = [];
  #index = -1;
  #before: Value | undefined;
  #current: Value | undefined;
  #changed: Tuple | undefined;

  /** @param recurse what calling the loop does; undefined for one that is not recursive */
  constructor(values: Value | Iterable<Value>, depth: number, recurse: ((value: Value) => Value) | undefined) {
    super("loop", (args: readonly Value[]) => {
      if (!recurse) throw typeError("The loop must have the 'recursive' marker to be called recursively.");
      const [value] = args;
      if (value === undefined) throw typeError("loop() takes what it is to go through");
      return recurse(value);
    });
    this.#depth = depth;
    const isValue = isValueOf(values);
    this.#iterator = (isValue ? iterate(values) : values)[Symbol.iterator]();
    if (isValue)
      this.#length = isText(values) ? lengthOf(values) : values instanceof PyObject ? sizeOf(values) : undefined;
  }

  get isEmpty(): boolean {
    return this.#index < 0;
  }

  next(): Value | undefined {
    const item = this.#ahead.length > 0 ? this.#ahead.shift() : this.#pull();
    if (item === undefined) return undefined;
    this.#index++;
    this.#before = this.#current;
    this.#current = item;
    return item;
  }

  override attribute(name: string): Value | undefined {
    const index = BigInt(this.#index);
    switch (name) {
      case "index":
        return index + 1n;
      case "index0":
        return index;
      case "revindex":
        return BigInt(this.#size()) - index;
      case "revindex0":
        return BigInt(this.#size()) - index - 1n;
      case "first":
        return this.#index === 0;
      case "last":
        return this.#peek() === undefined;
      case "length":
        return BigInt(this.#size());
      case "depth":
        return BigInt(this.#depth + 1);
      case "depth0":
        return BigInt(this.#depth);
      case "previtem":
        return orElse(this.#before, () => new Undefined("there is no previous item"));
      case "nextitem":
        return orElse(this.#peek(), () => new Undefined("there is no next item"));
      case "cycle":
        return new Callable(name, (args) => {
          const item = args[this.#index % args.length];
          if (item === undefined) throw typeError("no items for cycling given");
          return item;
        });
      case "changed":
        return new Callable(name, (args) => {
          const now = new Tuple(args);
          if (this.#changed && equal(this.#changed, now)) return false;
          this.#changed = now;
          return true;
        });
      default:
        return undefined;
    }
  }

  #pull(): Value | undefined {
    const next = this.#iterator.next();
    return next.done === true ? undefined : next.value;
  }

  #peek(): Value | undefined {
    if (this.#ahead.length === 0) {
      const item = this.#pull();
      if (item !== undefined) this.#ahead.push(item);
    }
    return this.#ahead[0];
  }

  #size(): number {
    if (this.#length === undefined) {
      for (let item = this.#pull(); item !== undefined; item = this.#pull()) this.#ahead.push(item);
      this.#length = this.#index + 1 + this.#ahead.length;
    }
    return this.#length;
  }
}

function isValueOf(values: Value | Iterable<Value>): values is Value {
  return values === null || typeof values !== "object" || values instanceof PyObject || isText(values);
}
