import {
  AFTER_ATOM,
  BETWEEN_FACTORS,
  SIGNS,
  ATOM_COMMANDS,
  ATOM_KINDS,
  BINOMIALS,
  CONSTANT_LETTERS,
  CURRENCIES,
  DEGREE,
  DEGREES,
  FENCES,
  FRACTIONS,
  FUNCTION_LETTERS,
  MARKS,
  OVER,
  PI,
  SERIES,
  SYMBOLS,
  TIMES,
  VARIADIC,
  argumentsOf,
  asVector,
  inRadians,
  isNumber,
  isProperFraction,
  joined,
  mixed,
  numberTokens,
  withVariable,
} from "./expression-parts.ts";
import type { Token } from "./latex-tokens.ts";
import { apply, EMPTY_SET, INFINITY, whole } from "./node.ts";
import type { Node } from "./node.ts";
import { applyToQuantities, bare, quantity } from "./quantity.ts";
import { parseUnit } from "./parse-unit.ts";
import { TokenCursor, Unparseable } from "./token-cursor.ts";
import { sameDimension, unitNamed } from "./units.ts";
import type { Unit } from "./units.ts";

const INVERSE = ["^", "{", "-", "1", "}", "("];

/** Sums, products, powers and what they are made of; lists and relations come from the answer's parser. */
export abstract class ExpressionParser {
  protected readonly cursor: TokenCursor;
  /** Above 0 in front of the bar of a set, where `|` and `:` begin its condition. */
  protected elementDepth = 0;
  #openBars = 0;

  constructor(tokens: readonly Token[]) {
    this.cursor = new TokenCursor(tokens);
  }

  /** Whatever may stand inside brackets. */
  protected abstract inside(): Node;
  /** From an opening bracket, `\{` or `\langle` to its end. */
  protected abstract brackets(): Node;
  /** From `\begin{…}` to its end. */
  protected abstract environment(): Node;
  /** `{x | …}` after its brace; undefined where no condition follows. */
  protected abstract setBuilder(close: string): Node | undefined;

  /** term ((+|−|±|∓) term)* */
  protected sum(): Node {
    let terms = [this.#term()];
    for (;;) {
      const sign = this.cursor.among(SIGNS);
      if (sign === undefined) break;
      this.cursor.next();
      if (sign === "\\pm" || sign === "\\mp") {
        const op = sign === "\\pm" ? "plus-minus" : "minus-plus";
        terms = [applyToQuantities(op, joined("add", terms), this.#term())];
      } else {
        const term = this.#term();
        terms.push(sign === "-" ? applyToQuantities("negate", term) : term);
      }
    }
    return joined("add", terms);
  }

  #term(): Node {
    const sign = this.#signs();
    let factors = [this.#factor()];
    const product = (): Node => {
      // Words beside mathematics are units and labels.
      const known = factors.filter((factor) => factor.kind !== "text");
      return joined("multiply", known.length > 0 ? known : factors);
    };
    for (;;) {
      if (this.cursor.among(BETWEEN_FACTORS) === undefined) {
        if (!this.#startsAtom()) break;
        this.#beside(factors);
      } else if (this.cursor.take(...TIMES) !== undefined) factors.push(this.#signedFactor());
      else if (this.cursor.take(...OVER) !== undefined)
        factors = [applyToQuantities("divide", product(), this.#signedFactor())];
      else {
        this.cursor.next();
        factors = [apply("modulo", product(), this.#signedFactor())];
      }
    }
    return sign(product());
  }

  /** A factor without a sign before it: a product, a mixed number, or the rest of a quantity (5 ft 6 in). */
  #beside(factors: Node[]): void {
    const [previous, last] = [factors.at(-1), this.cursor.peek(-1)];
    if (previous?.kind === "quantity" && this.cursor.peek()?.kind === "number") {
      const next = this.#factor();
      const isRest = next.kind === "quantity" && sameDimension(next.unit, previous.unit);
      if (!isRest || next.unit.factor >= previous.unit.factor) throw new Unparseable("two numbers side by side");
      factors.splice(-1, 1, applyToQuantities("add", previous, next));
      return;
    }
    const next = this.#mixedFraction(last?.kind) ?? this.#factor();
    const isMixed = previous?.kind === "number" && last?.kind === "number" && isProperFraction(bare(next));
    if (!isMixed) factors.push(next);
    else if (next.kind === "quantity") factors.splice(-1, 1, quantity(apply("add", previous, next.value), next.unit));
    else factors.splice(-1, 1, mixed(previous, next));
  }

  /** The fraction of `1 4/5`: two numbers side by side are no product. */
  #mixedFraction(previous: Token["kind"] | undefined): Node | undefined {
    const [top, slash, bottom] = [this.cursor.peek(), this.cursor.peek(1), this.cursor.peek(2)];
    if (previous !== "number" || top?.kind !== "number") return undefined;
    if (slash?.text !== "/" || bottom?.kind !== "number") throw new Unparseable("two numbers side by side");
    const numerator = this.#factor();
    this.cursor.next();
    const denominator = this.#factor();
    const fraction = apply("divide", numerator, bare(denominator));
    return denominator.kind === "quantity" ? quantity(fraction, denominator.unit) : fraction;
  }

  #signs(): (node: Node) => Node {
    let negative = false;
    for (;;) {
      const sign = this.cursor.among(SIGNS);
      if (sign !== undefined) this.cursor.next();
      if (sign === "-") negative = !negative;
      else if (sign === "\\pm") return (node) => applyToQuantities("plus-minus", whole(0), node);
      else if (sign === "\\mp") return (node) => applyToQuantities("minus-plus", whole(0), node);
      else if (sign === undefined) break;
    }
    return (node) => (negative ? applyToQuantities("negate", node) : node);
  }

  #signedFactor(): Node {
    const sign = this.#signs();
    return sign(this.#factor());
  }

  #startsAtom(): boolean {
    const token = this.cursor.peek();
    if (!token) return false;
    if (ATOM_KINDS.has(token.kind)) return true;
    if (token.kind === "command") return ATOM_COMMANDS.has(token.text);
    return token.text === "(" || token.text === "{" || (token.text === "|" && this.#openBars + this.elementDepth === 0);
  }

  /** An atom with what follows it: `!`, `%`, powers, degrees, units. */
  #factor(): Node {
    let node = this.cursor.nested(() => this.#atom());
    for (;;) {
      const kind = this.cursor.peek()?.kind;
      if (kind === "unit")
        node = quantity(
          node,
          parseUnit(this.cursor, () => this.#argument()),
        );
      else if (kind === "text") this.#label();
      else if (this.cursor.among(AFTER_ATOM) === undefined) return node;
      else if (this.cursor.take("!") !== undefined) node = apply("factorial", node);
      else if (this.cursor.take("%") !== undefined) node = applyToQuantities("percent", node);
      else if (this.cursor.take(...DEGREES) !== undefined) node = quantity(node, DEGREE);
      else if (this.cursor.take("^") !== undefined) node = this.#raised(node);
      else node = quantity(node, this.#currency());
    }
  }

  /** A word beside a value changes nothing, nor does its power. */
  #label(): void {
    this.cursor.next();
    if (this.cursor.take("^") !== undefined) this.#argument();
  }

  #currency(): Unit {
    return unitNamed(this.cursor.next().text) ?? { factor: 1, powers: {} };
  }

  #raised(base: Node): Node {
    if (this.cursor.take(...DEGREES) !== undefined) return quantity(base, DEGREE);
    const [open, inner, close] = [this.cursor.peek(), this.cursor.peek(1), this.cursor.peek(2)];
    if (open?.text === "{" && DEGREES.includes(inner?.text ?? "") && close?.text === "}") {
      for (let i = 0; i < 3; i++) this.cursor.next();
      return quantity(base, DEGREE);
    }
    return apply("power", bare(base), bare(this.#argument()));
  }

  /** What `^`, `\sqrt` or a mark applies to: a group, or the next signed atom. */
  #argument(): Node {
    return this.cursor.nested(() => {
      const sign = this.#signs();
      return sign(this.#atom());
    });
  }

  /** What `\frac` applies to: a group, or a single digit (`\frac12`). */
  #fractionArgument(): Node {
    this.#splitDigit();
    return this.#argument();
  }

  #splitDigit(): void {
    const token = this.cursor.peek();
    if (token?.kind !== "number" || token.text.length === 1 || !/^\d/.test(token.text)) return;
    const [first = "", ...rest] = token.text;
    this.cursor.replace(numberTokens(first, rest.join("")));
  }

  #atom(): Node {
    const token = this.cursor.peek();
    if (!token) throw new Unparseable("a value is missing");
    if (token.kind === "begin") return this.environment();
    if (token.kind === "text" || token.kind === "unit") return { kind: "text", text: this.cursor.next().text };
    if (token.kind === "function") return this.#function(this.cursor.next().text);
    if (token.kind === "letter" || SYMBOLS.has(token.text)) return this.#symbol(this.cursor.next().text);
    if (token.kind === "number") {
      this.cursor.next();
      const { value, decimals } = token;
      return this.#inBase(token.text) ?? { kind: "number", value, decimal: token.decimal, decimals };
    }
    if (this.cursor.at("(", "[", "]", "\\{", "\\langle")) return this.brackets();
    if (this.cursor.take("{") !== undefined) return this.#group();
    if (this.cursor.at(...CURRENCIES)) {
      const unit = this.#currency();
      return quantity(this.#argument(), unit);
    }
    if (this.cursor.at("|") && this.cursor.peek(1)?.text === "|") return this.#norm();
    if (this.cursor.take("|") !== undefined) return this.#bars();
    return this.#command(token.text);
  }

  /** After `{`: what is grouped, a fraction with `\over`, a binomial with `\choose`, or a set by its condition. */
  #group(): Node {
    const builder = this.setBuilder("}");
    if (builder) return builder;
    if (this.cursor.take("}") !== undefined) return { kind: "text", text: "" };
    const node = this.inside();
    const division = this.cursor.take("\\over", "\\choose");
    const grouped =
      division === undefined ? node : apply(division === "\\over" ? "divide" : "binomial", node, this.inside());
    this.cursor.expect("}");
    return grouped;
  }

  #command(name: string): Node {
    if (!ATOM_COMMANDS.has(name) && name !== "\\|") throw new Unparseable(`${name} is not understood`);
    this.cursor.next();
    const fence = FENCES[name];
    if (fence) {
      const node = this.inside();
      this.cursor.expect(fence.close);
      return apply(fence.op, node);
    }
    const series = SERIES[name];
    if (series !== undefined) return this.#series(series);
    if (FRACTIONS.includes(name))
      return applyToQuantities("divide", this.#fractionArgument(), this.#fractionArgument());
    if (BINOMIALS.includes(name)) return apply("binomial", this.#fractionArgument(), this.#fractionArgument());
    if (name === "\\sqrt") return this.#root();
    if (name === "\\pi") return PI;
    if (name === "\\infty") return INFINITY;
    if (name === "\\mathbb") return this.#blackboard();
    if (MARKS.has(name)) return asVector(this.#argument(), name);
    return EMPTY_SET;
  }

  #blackboard(): Node {
    const set = this.#argument();
    if (set.kind !== "symbol") throw new Unparseable("not a set of numbers");
    return { kind: "symbol", name: `\\mathbb{${set.name}}` };
  }

  #root(): Node {
    let degree: Node | undefined;
    if (this.cursor.take("[") !== undefined) {
      degree = this.sum();
      this.cursor.expect("]");
    }
    const radicand = bare(this.#argument());
    return degree ? apply("power", radicand, apply("divide", whole(1), degree)) : apply("sqrt", radicand);
  }

  #bars(): Node {
    this.#openBars++;
    const node = this.sum();
    this.cursor.expect("|");
    this.#openBars--;
    return apply("abs", bare(node));
  }

  #norm(): Node {
    this.cursor.next();
    const node = this.#bars();
    this.cursor.expect("|");
    return node;
  }

  /** `\sum_{k=1}^{n} term`; the term reaches to the next sum, difference or relation. */
  #series(op: string): Node {
    let [lower, upper]: (Node | undefined)[] = [];
    for (;;) {
      if (this.cursor.take("_") !== undefined) lower = this.#argument();
      else if (this.cursor.take("^") !== undefined) upper = this.#argument();
      else break;
    }
    if (lower?.kind !== "relation" || !upper || lower.ops.join("") !== "=") throw new Unparseable("no bounds of a sum");
    const [counter, first] = lower.sides;
    const term = this.cursor.nested(() => this.#term());
    if (!counter || !first) throw new Unparseable("no bounds of a sum");
    if (counter.kind === "symbol") return apply(op, counter, first, upper, term);
    if (counter.kind !== "constant") throw new Unparseable("no variable of a sum");
    // i counts here, and is no root of −1.
    const variable: Node = { kind: "symbol", name: counter.name };
    return apply(op, variable, first, upper, withVariable(term, counter.name));
  }

  /** sin x, sin² x, log₂ x, sin⁻¹ x; without brackets the argument ends before the next function or sign. */
  #function(name: string): Node {
    let [base, exponent]: (Node | undefined)[] = [];
    for (;;) {
      if (this.cursor.take("_") !== undefined) base = this.#logarithmBase();
      else if (this.cursor.take("^") !== undefined) exponent = this.#argument();
      else break;
    }
    const argument = this.cursor.at("(", "{", "\\{") ? this.#atom() : this.#functionArgument();
    const items = argument.kind === "sequence" ? argument.items : [argument];
    if (VARIADIC.has(name)) return apply(name, ...items);
    if (argument.kind === "sequence") throw new Unparseable("too many arguments");
    const angle = inRadians(argument);
    const isInverse = exponent?.kind === "apply" && exponent.op === "negate" && isNumber(exponent.args[0], 1n);
    const value = base ? apply(name, angle, base) : apply(isInverse ? `arc${name}` : name, angle);
    return exponent && !isInverse ? apply("power", value, exponent) : value;
  }

  /** `\log_28` is log₂ 8. */
  #logarithmBase(): Node {
    const token = this.cursor.peek();
    if (token?.kind === "number" && !this.cursor.at("{") && !/^[(\\{]/.test(this.cursor.peek(1)?.text ?? "")) {
      if (this.cursor.peek(1)?.kind !== "number" && this.cursor.peek(1)?.kind !== "letter") this.#splitDigit();
    }
    return this.#argument();
  }

  #functionArgument(): Node {
    const sign = this.#signs();
    const factors = [this.#factor()];
    while (this.#startsAtom() && this.cursor.peek()?.kind !== "function") factors.push(this.#factor());
    return sign(joined("multiply", factors));
  }

  #symbol(letter: string): Node {
    let name = letter;
    let indexed: Node | undefined;
    for (;;) {
      if (this.cursor.take("'") !== undefined) name += "'";
      else if (!indexed && this.cursor.take("_") !== undefined) {
        const index = this.#subscript();
        if (typeof index === "string") name += `_${index}`;
        else indexed = apply("index", { kind: "symbol", name }, index);
      } else break;
    }
    if (indexed) return indexed;
    const constant = CONSTANT_LETTERS[name];
    if (constant) return { kind: "constant", name: constant };
    const symbol: Node = { kind: "symbol", name };
    if (FUNCTION_LETTERS.has(letter) && this.#isInverse()) {
      for (let i = 0; i < INVERSE.length - 1; i++) this.cursor.next();
      return apply("call", { kind: "symbol", name: `${name}^-1` }, ...argumentsOf(this.brackets()));
    }
    if (!this.cursor.at("(")) return symbol;
    if (letter === "C" && this.cursor.peek(2)?.text === ",") return apply("binomial", ...argumentsOf(this.brackets()));
    if (!FUNCTION_LETTERS.has(letter)) return symbol;
    return apply("call", symbol, ...argumentsOf(this.brackets()));
  }

  /** Is what follows the `^{-1}(` of an inverse function? */
  #isInverse(): boolean {
    return INVERSE.every((text, ahead) => this.cursor.peek(ahead)?.text === text);
  }

  /** A number or words are part of a name; a letter or an expression is an index. */
  #subscript(): string | Node {
    if (this.cursor.take("{") === undefined) {
      const token = this.cursor.next();
      if (token.kind === "number" && token.text.length > 1 && !token.decimal) {
        // LaTeX takes one digit: x_12 is x_1·2, but nobody who writes it means that.
        return token.text;
      }
      return token.kind === "letter" ? { kind: "symbol", name: token.text } : token.text;
    }
    const tokens: Token[] = [];
    for (let depth = 1; ;) {
      const token = this.cursor.next();
      if (token.text === "{") depth++;
      if (token.text === "}" && --depth === 0) break;
      tokens.push(token);
    }
    const text = tokens.map((token) => token.text).join("");
    const isName = tokens.every(({ kind }) => kind === "number" || kind === "text" || kind === "unit");
    if (isName || (tokens.length > 1 && tokens.every(({ kind }) => kind === "letter"))) return text;
    return this.indexOf(tokens) ?? text;
  }

  /** An index as an expression. */
  protected abstract indexOf(tokens: readonly Token[]): Node | undefined;

  /** `204_5`: digits with their base below them. */
  #inBase(digits: string): Node | undefined {
    if (this.cursor.take("_") === undefined) return undefined;
    const base = Number(this.#subscript());
    const valid = Number.isInteger(base) && base >= 2 && base <= 36 && /^\d+$/.test(digits);
    const all = Array.from(digits, Number);
    if (!valid || all.some((digit) => digit >= base)) throw new Unparseable("not a number in a base");
    return whole(all.reduce((sum, digit) => sum * BigInt(base) + BigInt(digit), 0n));
  }
}
