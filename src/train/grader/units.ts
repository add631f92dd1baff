/** A unit as a product of base units, times a factor: km/h is 1000/3600 of m·s⁻¹. */
export interface Unit {
  readonly factor: number;
  /** Base units with their exponents. */
  readonly powers: Readonly<Record<string, number>>;
}

function unit(base: string, factor = 1): Unit {
  // A litre is a cubic decimetre.
  return base === "L" ? { factor: factor / 1000, powers: { m: 3 } } : { factor, powers: { [base]: 1 } };
}

const PREFIXES: readonly (readonly [string, number])[] = [
  ["n", 1e-9],
  ["µ", 1e-6],
  ["m", 1e-3],
  ["c", 1e-2],
  ["d", 1e-1],
  ["k", 1e3],
  ["M", 1e6],
  ["G", 1e9],
];

/** Base unit, factor, names. Capital letters of the names do not count, but those of the symbols do. */
const NAMED: readonly (readonly [base: string, factor: number, names: string])[] = [
  ["m", 1, "meter meters metre metres メートル 米"],
  ["m", 1000, "kilometer kilometers kilometre kilometres キロメートル 公里 千米"],
  ["m", 0.01, "centimeter centimeters centimetre centimetres センチメートル センチ 厘米 公分"],
  ["m", 0.001, "millimeter millimeters millimetre millimetres ミリメートル 毫米"],
  ["m", 0.0254, "inch inches"],
  ["m", 0.3048, "ft foot feet"],
  ["m", 0.9144, "yd yard yards"],
  ["m", 1609.344, "mi mile miles"],
  ["g", 1, "gram grams グラム 克"],
  ["g", 1000, "kilogram kilograms キログラム 千克 公斤"],
  ["g", 0.001, "milligram milligrams"],
  ["g", 453.59237, "lb lbs"],
  ["g", 28.349523125, "oz ounce ounces"],
  ["g", 1e6, "ton tons tonne tonnes トン 吨"],
  ["s", 1, "sec secs second seconds 秒 秒钟"],
  ["s", 60, "min mins minute minutes 分 分钟 分間"],
  ["s", 3600, "hr hrs hour hours 時間 小时 小時"],
  ["s", 86_400, "day days 日間 天"],
  ["s", 604_800, "week weeks 週間 周"],
  ["L", 1, "liter liters litre litres リットル 升"],
  ["L", 0.001, "milliliter milliliters millilitre millilitres ミリリットル 毫升"],
  ["deg", 1, "degree degrees deg 度"],
  ["deg", 180 / Math.PI, "rad radian radians ラジアン 弧度"],
  ["°C", 1, "°c celsius 摂氏"],
  ["°F", 1, "°f fahrenheit 華氏"],
  ["K", 1, "kelvin kelvins"],
  ["$", 1, "dollar dollars usd ドル 美元"],
  ["$", 0.01, "cent cents セント"],
  ["€", 1, "euro euros eur ユーロ 欧元"],
  ["£", 1, "gbp"],
  ["¥", 1, "yen jpy 円 日元"],
  ["元", 1, "yuan cny rmb 元"],
  ["₹", 1, "rupee rupees inr rs ルピー"],
  ["N", 1, "newton newtons"],
  ["J", 1, "joule joules"],
  ["W", 1, "watt watts"],
  ["V", 1, "volt volts"],
  ["A", 1, "amp amps ampere amperes"],
  ["Hz", 1, "hertz"],
  ["Pa", 1, "pascal pascals"],
];

/** Symbols that take prefixes. */
const SYMBOLS = ["m", "g", "s", "L", "l", "N", "J", "W", "V", "A", "Hz", "Pa", "mol"];
/** Words that count things: they change nothing and are no unit of measure. */
const COUNTED = "unit units pound pounds people students ways sq square cubic cu";

const SPEEDS: readonly (readonly [string, Unit])[] = [
  ["mph", { factor: 1609.344 / 3600, powers: { m: 1, s: -1 } }],
  ["kph", { factor: 1000 / 3600, powers: { m: 1, s: -1 } }],
  ["kmh", { factor: 1000 / 3600, powers: { m: 1, s: -1 } }],
];

const BY_NAME: ReadonlyMap<string, Unit> = new Map([
  ...NAMED.flatMap(([base, factor, names]) => names.split(" ").map((name) => [name, unit(base, factor)] as const)),
  ...SPEEDS,
  ...["$", "€", "£", "¥", "₹"].map((sign) => [sign, unit(sign)] as const),
]);
const BY_SYMBOL: ReadonlyMap<string, Unit> = new Map([
  ...SYMBOLS.flatMap((symbol) => {
    const base = symbol === "l" ? "L" : symbol;
    return [["", 1] as const, ...PREFIXES].map(([prefix, factor]) => [prefix + symbol, unit(base, factor)] as const);
  }),
  ["h", unit("s", 3600)],
  ["C", unit("°C")],
  ["K", unit("K")],
]);
const COUNTED_WORDS = new Set(COUNTED.split(" "));

/** Symbols that are as likely variables, `5m`: units only where nothing but the end of a value follows. */
export function isLetterUnit(text: string): boolean {
  return text.length === 1 && BY_SYMBOL.has(text);
}

const RAISED_BY: Readonly<Record<string, number>> = { 平方: 2, 立方: 3 };

/** A unit of measure by its symbol or name; undefined for any other word. */
export function unitNamed(text: string): Unit | undefined {
  const raised = RAISED_BY[text.slice(0, 2)];
  if (raised !== undefined) {
    const base = unitNamed(text.slice(2));
    return base && unitPower(base, raised);
  }
  return BY_SYMBOL.get(text) ?? BY_NAME.get(text.toLowerCase());
}

export function isCountedWord(word: string): boolean {
  return COUNTED_WORDS.has(word.toLowerCase());
}

export function unitPower({ factor, powers }: Unit, exponent: number): Unit {
  const raised = Object.entries(powers).map(([base, power]) => [base, power * exponent] as const);
  return { factor: factor ** exponent, powers: Object.fromEntries(raised) };
}

export function unitProduct(a: Unit, b: Unit): Unit {
  const powers: Record<string, number> = { ...a.powers };
  for (const [base, power] of Object.entries(b.powers)) powers[base] = (powers[base] ?? 0) + power;
  return { factor: a.factor * b.factor, powers: Object.fromEntries(Object.entries(powers).filter(([, p]) => p !== 0)) };
}

/** Do both measure the same thing, so that one can be converted into the other? */
export function sameDimension(a: Unit, b: Unit): boolean {
  const [left, right] = [Object.entries(a.powers), Object.entries(b.powers)];
  return left.length === right.length && left.every(([base, power]) => b.powers[base] === power);
}
