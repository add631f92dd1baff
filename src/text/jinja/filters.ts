import { attributeOf, pythonAttribute } from "./attributes.ts";
import { bind } from "./call.ts";
import { TemplateError, typeError, valueError } from "./error.ts";
import { percent } from "./format.ts";
import { escapeHtml, stripTags, urlEncode, urlize, wordWrap, xmlAttributes } from "./html-filters.ts";
import { absolute, arithmetic, round, truncate } from "./numbers.ts";
import { between, prettyPrint, str, toJson } from "./repr.ts";
import { asSafe, isSafe, isText, join, mapPieces, plain } from "./text.ts";
import { capitalized, centered, replaceText } from "./text-methods.ts";
import { strip, textArg } from "./text-split.ts";
import { fileSize, indent, shortened, titled, toFloat, toInt } from "./text-filters.ts";
import {
  Dict,
  indexOf,
  isNumber,
  Iter,
  iterate,
  List,
  listOf,
  orElse,
  truthy,
  Tuple,
  typeName,
  Undefined,
} from "./values.ts";
import type { Kwargs, Value } from "./values.ts";
import {
  keyed,
  getter,
  first,
  last,
  extreme,
  length,
  mapFilter,
  selecting,
  unique,
  batches,
  slices,
  groupBy,
  reversed,
  dictSort,
  sort,
} from "./sequence-filters.ts";
import type { Filter, FilterHost } from "./sequence-filters.ts";

/** A filter whose arguments are bound by name. */
function named(
  name: string,
  parameters: readonly string[],
  run: (value: Value, args: readonly (Value | undefined)[], host: FilterHost) => Value,
): readonly [string, Filter] {
  return [name, (value, args, kwargs, host) => run(value, bind(name, parameters, args, kwargs), host)];
}

/** `round` with `ceil` and `floor`, which always give a float. */
function roundBy(value: Value, digits: number, method: string): Value {
  if (method === "common") return round(value, digits);
  if (method !== "ceil" && method !== "floor") throw new TemplateError("method must be common, ceil or floor");
  if (!isNumber(value)) throw typeError(`must be real number, not ${typeName(value)}`);
  const unit = arithmetic("**", 10n, BigInt(digits));
  if (!isNumber(unit)) return value;
  const scaled = arithmetic("*", value, unit);
  const whole =
    typeof scaled === "number" ? truncate(method === "ceil" ? Math.ceil(scaled) : Math.floor(scaled)) : scaled;
  return isNumber(whole) ? arithmetic("/", whole, unit) : value;
}

function json(value: Value, args: readonly (Value | undefined)[]): Value {
  const [ensureAscii = false, indentBy = null, separators = null, sortKeys = false] = args;
  const indentText =
    indentBy === null ? undefined : isText(indentBy) ? plain(indentBy) : " ".repeat(Math.max(0, indexOf(indentBy)));
  const given = separators instanceof Tuple || separators instanceof List ? separators.items : undefined;
  const [itemSeparator = null, keySeparator = null] = given ?? [indentText === undefined ? ", " : ",", ": "];
  return toJson(value, {
    ensureAscii: truthy(ensureAscii),
    indent: indentText,
    itemSeparator: textArg("item separator", itemSeparator),
    keySeparator: textArg("key separator", keySeparator),
    sortKeys: truthy(sortKeys),
  });
}

const html = (value: Value): Value => (isText(value) && isSafe(value) ? value : escapeHtml(str(value)));
const defaulted = (value: Value, [other = "", isBoolean = false]: readonly (Value | undefined)[]): Value =>
  value instanceof Undefined || (truthy(isBoolean) && !truthy(value)) ? other : value;

/** Jinja2's filters, with transformers' `tojson`. */
export const FILTERS: ReadonlyMap<string, Filter> = new Map<string, Filter>([
  named("abs", [], (value) => {
    if (value instanceof Undefined) throw value.fail();
    return absolute(value);
  }),
  named("attr", ["name"], (value, [name = null]) => {
    const text = plain(textArg("attr()", name));
    return pythonAttribute(value, text) === undefined
      ? new Undefined(`'${typeName(value)} object' has no attribute '${text}'`)
      : attributeOf(value, text);
  }),
  named(
    "batch",
    ["linecount", "fill_with?"],
    (value, [size = null, fill]) => new Iter(batches(value, indexOf(size), fill)),
  ),
  named("capitalize", [], (value) => capitalized(str(value))),
  named("center", ["width?"], (value, [width = 80n]) => centered(str(value), indexOf(width))),
  named("count", [], length),
  named("length", [], length),
  named("d", ["default_value?", "boolean?"], defaulted),
  named("default", ["default_value?", "boolean?"], defaulted),
  named("dictsort", ["case_sensitive?", "by?", "reverse?"], dictSort),
  named("e", [], html),
  named("escape", [], html),
  named("forceescape", [], (value) => escapeHtml(asSafe(str(value), false))),
  named("filesizeformat", ["binary?"], (value, [isBinary = false]) => fileSize(value, truthy(isBinary))),
  named("first", [], first),
  named("last", [], last),
  named("float", ["default?"], (value, [other = 0]) => toFloat(value, other)),
  named("int", ["default?", "base?"], (value, [other = 0n, base = 10n]) => toInt(value, other, indexOf(base))),
  [
    "format",
    (value, args, kwargs) => {
      if (args.length > 0 && kwargs.size > 0) {
        throw new TemplateError("can't handle positional and keyword arguments at the same time");
      }
      return percent(str(value), kwargs.size > 0 ? new Dict(kwargs) : new Tuple(args));
    },
  ],
  named("groupby", ["attribute", "default?", "case_sensitive?"], (value, [attribute = null, other, isCaseSensitive]) =>
    groupBy(value, attribute, other, isCaseSensitive),
  ),
  named("indent", ["width?", "first?", "blank?"], (value, [width = 4n, isFirst = false, isBlank = false], host) =>
    indent(value, width, truthy(isFirst), truthy(isBlank), host),
  ),
  named("items", [], (value) => {
    if (value instanceof Undefined) return new Iter([]);
    if (!(value instanceof Dict)) throw typeError("Can only get item pairs from a mapping.");
    return new Iter(Array.from(value.entries(), (entry) => new Tuple(entry)));
  }),
  named("join", ["d?", "attribute?"], (value, [separator = "", attribute]) => {
    const get = getter(attribute);
    return join(
      between(
        Array.from(iterate(value), (item) => str(get(item))),
        str(separator),
      ),
    );
  }),
  named("list", [], (value) => new List(listOf(value))),
  named("lower", [], (value) => mapPieces(str(value), (piece) => piece.toLowerCase())),
  named("upper", [], (value) => mapPieces(str(value), (piece) => piece.toUpperCase())),
  ["map", mapFilter],
  ["min", extreme(-1)],
  ["max", extreme(1)],
  named("pprint", [], (value) => prettyPrint(value)),
  named("random", [], (value) => {
    const items = listOf(value);
    return orElse(
      items[Math.floor(Math.random() * items.length)],
      () => new Undefined("No random item, sequence was empty."),
    );
  }),
  ["select", selecting(true, false)],
  ["reject", selecting(false, false)],
  ["selectattr", selecting(true, true)],
  ["rejectattr", selecting(false, true)],
  named("replace", ["old", "new", "count?"], (value, [old = null, by = null, count = null]) =>
    replaceText(str(value), str(old), str(by), count === null ? -1 : indexOf(count)),
  ),
  named("reverse", [], reversed),
  named("round", ["precision?", "method?"], (value, [digits = 0n, method = "common"]) => {
    if (value instanceof Undefined) throw value.fail();
    return roundBy(value, indexOf(digits), plain(str(method)));
  }),
  named("safe", [], (value) => asSafe(str(value), true)),
  named(
    "slice",
    ["slices", "fill_with?"],
    (value, [count = null, fill]) => new Iter(slices(value, positive(count), fill)),
  ),
  named("sort", ["reverse?", "case_sensitive?", "attribute?"], sort),
  named("string", [], (value) => (isText(value) ? value : str(value))),
  named("striptags", [], (value) => stripTags(str(value))),
  named("sum", ["attribute?", "start?"], (value, [attribute, start = 0n], host) => {
    if (isText(start)) throw typeError("sum() can't sum strings [use ''.join(seq) instead]");
    const get = getter(attribute);
    let total: Value = start;
    for (const item of iterate(value)) total = host.add(total, get(item));
    return total;
  }),
  named("title", [], titled),
  named("tojson", ["ensure_ascii?", "indent?", "separators?", "sort_keys?"], json),
  named("trim", ["chars?"], (value, [chars]) => strip(str(value), chars, "both")),
  named("truncate", ["length?", "killwords?", "end?", "leeway?"], shortened),
  named(
    "unique",
    ["case_sensitive?", "attribute?"],
    (value, [isCaseSensitive, attribute]) => new Iter(unique(value, getter(attribute, keyed(isCaseSensitive)))),
  ),
  named("urlencode", [], urlEncode),
  named("urlize", ["trim_url_limit?", "nofollow?", "target?", "rel?", "extra_schemes?"], (value, args): Value =>
    urlize(str(value), args),
  ),
  named("wordcount", [], (value) => BigInt(plain(str(value)).match(/[\p{L}\p{N}_]+/gu)?.length ?? 0)),
  named(
    "wordwrap",
    ["width?", "break_long_words?", "wrapstring?", "break_on_hyphens?"],
    (value, [width = 79n, breakWords = true, mark = null, breakHyphens = true]) =>
      wordWrap(
        textArg("wordwrap()", value),
        indexOf(width),
        truthy(breakWords),
        mark === null ? "\n" : str(mark),
        truthy(breakHyphens),
      ),
  ),
  named("xmlattr", ["autospace?"], (value, [space = true]) => xmlAttributes(value, truthy(space))),
]);

function positive(value: Value): number {
  const count = indexOf(value);
  if (count === 0) throw new TemplateError("ZeroDivisionError: integer division or modulo by zero");
  return count;
}

/** Python's types as globals give them. */
export function makeDict(args: readonly Value[], kwargs: Kwargs): Dict {
  const [from] = args;
  const dict = new Dict();
  if (from instanceof Dict) for (const [key, value] of from.entries()) dict.set(key, value);
  else if (from !== undefined) {
    for (const pair of iterate(from)) {
      const [key, value, ...rest] = listOf(pair);
      if (key === undefined || value === undefined || rest.length > 0) {
        throw valueError("dictionary update sequence element has the wrong length; 2 is required");
      }
      dict.set(key, value);
    }
  }
  for (const [key, value] of kwargs) dict.set(key, value);
  return dict;
}
