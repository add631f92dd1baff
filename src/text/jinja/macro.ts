import { Callable } from "./values.ts";
import type { Kwargs, Value } from "./values.ts";

/** A macro, which says of itself what it takes. */
export class MacroValue extends Callable {
  override readonly typeName = "Macro";
  readonly #attributes: Readonly<Record<string, Value>>;

  constructor(
    name: string,
    run: (args: readonly Value[], kwargs: Kwargs) => Value,
    attributes: Readonly<Record<string, Value>>,
  ) {
    super(`'${name}'`, run);
    this.#attributes = attributes;
  }

  override attribute(name: string): Value | undefined {
    return Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined;
  }
}
