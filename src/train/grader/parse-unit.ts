import { TIMES } from "./expression-parts.ts";
import type { Node } from "./node.ts";
import type { TokenCursor } from "./token-cursor.ts";
import { Unparseable } from "./token-cursor.ts";
import { unitPower, unitProduct } from "./units.ts";
import type { Unit } from "./units.ts";

/**
 * A unit after its number: km/h, m/s^2, N·m.
 * @param argument reads what a power applies
 * @throws Unparseable for a power that is no number
 */
export function parseUnit(cursor: TokenCursor, argument: () => Node): Unit {
  let unit: Unit | undefined;
  for (;;) {
    const [sign, after] = [cursor.peek(), cursor.peek(1)];
    const divides = unit !== undefined && sign?.text === "/" && after?.kind === "unit";
    const multiplies = unit !== undefined && TIMES.includes(sign?.text ?? "") && after?.kind === "unit";
    if (divides || multiplies) cursor.next();
    const token = cursor.peek();
    if (token?.kind !== "unit") break;
    cursor.next();
    const power = cursor.take("^") === undefined ? 1 : powerOf(argument());
    const next = unitPower(token.unit, divides ? -power : power);
    unit = unit ? unitProduct(unit, next) : next;
  }
  return unit ?? { factor: 1, powers: {} };
}

function powerOf(exponent: Node): number {
  const value = exponent.kind === "apply" && exponent.op === "negate" ? exponent.args[0] : exponent;
  if (value?.kind !== "number") throw new Unparseable("not a power of a unit");
  const size = Number(value.value.numerator) / Number(value.value.denominator);
  return value === exponent ? size : -size;
}
