import { decimal } from "./rational.ts";
import type { Token } from "./latex-tokens.ts";
import { apply, some } from "./node.ts";
import type { Node } from "./node.ts";
import { TokenCursor, Unparseable } from "./token-cursor.ts";

const FRACTIONS = ["\\frac", "\\dfrac", "\\tfrac", "\\cfrac"];
const BINOMIALS = ["\\binom", "\\dbinom", "\\tbinom"];
const TIMES = ["*", "\\cdot", "\\times", "\\ast"];
const OVER = ["/", "\\div"];
const DEGREES = ["\\circ", "\\degree"];
/** Fonts, accents and geometric marks: what they mark is what counts. */
const MARKS = new Set(
  (
    "\\mathrm \\mathbf \\mathit \\mathsf \\mathcal \\boldsymbol \\bm \\vec \\hat \\bar \\tilde \\overline \\overrightarrow " +
    "\\underline \\angle \\triangle \\boxed \\fbox \\rm \\bf"
  ).split(" "),
);
const SYMBOLS = new Set(
  (
    "\\alpha \\beta \\gamma \\delta \\epsilon \\varepsilon \\zeta \\eta \\theta \\vartheta \\iota \\kappa \\lambda \\mu " +
    "\\nu \\xi \\rho \\sigma \\tau \\phi \\varphi \\chi \\psi \\omega \\Gamma \\Delta \\Theta \\Lambda \\Xi \\Pi \\Sigma " +
    "\\Phi \\Psi \\Omega \\ell \\ldots \\cdots \\dots \\hbar"
  ).split(" "),
);
/** Letters that are functions where a bracket follows at once: f(x), P(2). */
const FUNCTION_LETTERS = new Set("fghFGP");
const CONSTANT_LETTERS: Readonly<Record<string, "e" | "i">> = { e: "e", i: "i" };
/** Brackets around one expression that are functions of it, by what opens them. */
const FENCES: Readonly<Record<string, { readonly close: string; readonly op: string }>> = {
  "\\lvert": { close: "\\rvert", op: "abs" },
  "\\lfloor": { close: "\\rfloor", op: "floor" },
  "\\lceil": { close: "\\rceil", op: "ceil" },
};
const ATOM_COMMANDS = new Set([
  ...FRACTIONS,
  ...BINOMIALS,
  ...MARKS,
  ...SYMBOLS,
  ...Object.keys(FENCES),
  ..."\\sqrt \\pi \\infty \\emptyset \\varnothing \\mathbb \\{ \\langle".split(" "),
]);
const ATOM_KINDS = new Set<Token["kind"]>(["number", "letter", "function", "text", "begin"]);

/** Sums, products, powers and what they are made of; lists and relations come from {@link AnswerParser}. */
export abstract class ExpressionParser {
  protected readonly cursor: TokenCursor;
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

  /** term ((+|−|±|∓) term)* */
  protected sum(): Node {
    let terms = [this.#term()];
    for (;;) {
      const sign = this.cursor.take("+", "-", "\\pm", "\\mp");
      if (sign === undefined) break;
      if (sign === "\\pm" || sign === "\\mp") {
        terms = [apply(sign === "\\pm" ? "plus-minus" : "minus-plus", joined("add", terms), this.#term())];
      } else {
        const term = this.#term();
        terms.push(sign === "-" ? apply("negate", term) : term);
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
      if (this.cursor.take(...TIMES) !== undefined) factors.push(this.#signedFactor());
      else if (this.cursor.take(...OVER) !== undefined) factors = [apply("divide", product(), this.#signedFactor())];
      else if (this.#startsAtom()) {
        const [whole, last] = [factors.at(-1), this.cursor.peek(-1)?.kind];
        const next = this.#mixedFraction(last) ?? this.#factor();
        if (whole?.kind === "number" && last === "number" && isProperFraction(next))
          factors.splice(-1, 1, apply("add", whole, next));
        else factors.push(next);
      } else break;
    }
    return sign(product());
  }

  /** The fraction of `1 4/5`: two numbers side by side are no product. */
  #mixedFraction(previous: Token["kind"] | undefined): Node | undefined {
    const [top, slash, bottom] = [this.cursor.peek(), this.cursor.peek(1), this.cursor.peek(2)];
    if (previous !== "number" || top?.kind !== "number") return undefined;
    if (slash?.text !== "/" || bottom?.kind !== "number") throw new Unparseable("two numbers side by side");
    const numerator = this.#factor();
    this.cursor.next();
    return apply("divide", numerator, this.#factor());
  }

  #signs(): (node: Node) => Node {
    let negative = false;
    for (;;) {
      const sign = this.cursor.take("+", "-", "\\pm", "\\mp");
      if (sign === "-") negative = !negative;
      else if (sign === "\\pm") return (node) => apply("plus-minus", ZERO, node);
      else if (sign === "\\mp") return (node) => apply("minus-plus", ZERO, node);
      else if (sign === undefined) break;
    }
    return (node) => (negative ? apply("negate", node) : node);
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
    return token.text === "(" || token.text === "{" || (token.text === "|" && this.#openBars === 0);
  }

  /** An atom with what follows it: `!`, `%`, powers, degrees, units. */
  #factor(): Node {
    let node = this.cursor.nested(() => this.#atom());
    for (;;) {
      if (this.cursor.take("!") !== undefined) node = apply("factorial", node);
      else if (this.cursor.take("%") !== undefined) node = apply("percent", node);
      else if (this.cursor.take(...DEGREES) !== undefined) node = apply("degrees", node);
      else if (this.cursor.take("^") !== undefined) node = this.#raised(node);
      else if (this.cursor.peek()?.kind === "text") this.#unit();
      else return node;
    }
  }

  /** A unit changes nothing, nor does its power. */
  #unit(): void {
    this.cursor.next();
    if (this.cursor.take("^") !== undefined) this.#argument();
  }

  #raised(base: Node): Node {
    if (this.cursor.take(...DEGREES) !== undefined) return apply("degrees", base);
    const [open, inner, close] = [this.cursor.peek(), this.cursor.peek(1), this.cursor.peek(2)];
    if (open?.text === "{" && DEGREES.includes(inner?.text ?? "") && close?.text === "}") {
      for (let i = 0; i < 3; i++) this.cursor.next();
      return apply("degrees", base);
    }
    return apply("power", base, this.#argument());
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
    const token = this.cursor.peek();
    if (token?.kind !== "number" || token.text.length === 1) return this.#argument();
    const [first = "", ...rest] = token.text;
    this.cursor.replace(numberTokens(first, rest.join("")));
    return this.#argument();
  }

  #atom(): Node {
    const token = this.cursor.peek();
    if (!token) throw new Unparseable("a value is missing");
    if (token.kind === "begin") return this.environment();
    if (token.kind === "text") return { kind: "text", text: this.cursor.next().text };
    if (token.kind === "function") return this.#function(this.cursor.next().text);
    if (token.kind === "letter" || SYMBOLS.has(token.text)) return this.#symbol(this.cursor.next().text);
    if (token.kind === "number") {
      this.cursor.next();
      return this.#inBase(token.text) ?? { kind: "number", value: token.value, decimal: token.decimal };
    }
    if (this.cursor.at("(", "[", "\\{", "\\langle")) return this.brackets();
    if (this.cursor.take("{") !== undefined) {
      const node = this.inside();
      this.cursor.expect("}");
      return node;
    }
    if (this.cursor.take("|") !== undefined) return this.#bars();
    return this.#command(token.text);
  }

  #command(name: string): Node {
    if (!ATOM_COMMANDS.has(name)) throw new Unparseable(`${name} is not understood`);
    this.cursor.next();
    const fence = FENCES[name];
    if (fence) {
      const node = this.inside();
      this.cursor.expect(fence.close);
      return apply(fence.op, node);
    }
    if (FRACTIONS.includes(name)) return apply("divide", this.#fractionArgument(), this.#fractionArgument());
    if (BINOMIALS.includes(name)) return apply("binomial", this.#fractionArgument(), this.#fractionArgument());
    if (name === "\\sqrt") return this.#root();
    if (name === "\\pi") return { kind: "constant", name: "pi" };
    if (name === "\\infty") return { kind: "constant", name: "infinity" };
    if (name === "\\mathbb") return this.#blackboard();
    if (MARKS.has(name)) return this.#argument();
    return { kind: "sequence", shape: "set", open: "{", close: "}", items: [] };
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
    const radicand = this.#argument();
    return degree ? apply("power", radicand, apply("divide", ONE, degree)) : apply("sqrt", radicand);
  }

  #bars(): Node {
    this.#openBars++;
    const node = this.sum();
    this.cursor.expect("|");
    this.#openBars--;
    return apply("abs", node);
  }

  /** sin x, sin² x, log₂ x, sin⁻¹ x; without brackets the argument ends before the next function or sign. */
  #function(name: string): Node {
    let [base, exponent]: (Node | undefined)[] = [];
    for (;;) {
      if (this.cursor.take("_") !== undefined) base = this.#argument();
      else if (this.cursor.take("^") !== undefined) exponent = this.#argument();
      else break;
    }
    const argument = inRadians(this.cursor.at("(", "{") ? this.#atom() : this.#functionArgument());
    const inverse = exponent?.kind === "apply" && exponent.op === "negate" && isNumber(exponent.args[0], 1n);
    const value = base ? apply(name, argument, base) : apply(inverse ? `arc${name}` : name, argument);
    return exponent && !inverse ? apply("power", value, exponent) : value;
  }

  #functionArgument(): Node {
    const sign = this.#signs();
    const factors = [this.#factor()];
    while (this.#startsAtom() && this.cursor.peek()?.kind !== "function") factors.push(this.#factor());
    return sign(joined("multiply", factors));
  }

  #symbol(letter: string): Node {
    let name = letter;
    for (;;) {
      if (this.cursor.take("'") !== undefined) name += "'";
      else if (this.cursor.take("_") !== undefined) name += `_${this.#subscript()}`;
      else break;
    }
    const constant = CONSTANT_LETTERS[name];
    if (constant) return { kind: "constant", name: constant };
    const symbol: Node = { kind: "symbol", name };
    if (!FUNCTION_LETTERS.has(letter) || !this.cursor.at("(")) return symbol;
    return apply("call", symbol, this.brackets());
  }

  #subscript(): string {
    if (this.cursor.take("{") === undefined) return this.cursor.next().text;
    let [text, depth] = ["", 1];
    for (;;) {
      const token = this.cursor.next();
      if (token.text === "{") depth++;
      if (token.text === "}" && --depth === 0) return text;
      text += token.text;
    }
  }

  /** `204_5`: digits with their base below them. */
  #inBase(digits: string): Node | undefined {
    if (this.cursor.take("_") === undefined) return undefined;
    const base = Number(this.#subscript());
    const valid = Number.isInteger(base) && base >= 2 && base <= 36 && /^\d+$/.test(digits);
    const all = Array.from(digits, Number);
    if (!valid || all.some((digit) => digit >= base)) throw new Unparseable("not a number in a base");
    const value = all.reduce((sum, digit) => sum * BigInt(base) + BigInt(digit), 0n);
    return { kind: "number", value: { numerator: value, denominator: 1n }, decimal: false };
  }
}

/** An angle in degrees is its number, but not to a function. */
function inRadians(angle: Node): Node {
  const inDegrees = some(angle, (node) => node.kind === "apply" && node.op === "degrees");
  const pi: Node = { kind: "constant", name: "pi" };
  return inDegrees ? apply("divide", apply("multiply", angle, pi), HALF_TURN) : angle;
}

/** One node alone, or all under an operator. */
function joined(op: string, nodes: readonly Node[]): Node {
  const [first] = nodes;
  return nodes.length === 1 && first ? first : apply(op, ...nodes);
}

const ZERO: Node = { kind: "number", value: { numerator: 0n, denominator: 1n }, decimal: false };
const HALF_TURN: Node = { kind: "number", value: { numerator: 180n, denominator: 1n }, decimal: false };
const ONE: Node = { kind: "number", value: { numerator: 1n, denominator: 1n }, decimal: false };

function isNumber(node: Node | undefined, value: bigint): boolean {
  return node?.kind === "number" && node.value.denominator === 1n && node.value.numerator === value;
}

/** A fraction of two whole numbers below one: after a whole number it makes a mixed number. */
function isProperFraction(node: Node): boolean {
  if (node.kind !== "apply" || node.op !== "divide") return false;
  const [top, bottom] = node.args;
  if (top?.kind !== "number" || bottom?.kind !== "number") return false;
  return !top.decimal && !bottom.decimal && top.value.numerator < bottom.value.numerator;
}

function numberTokens(...parts: readonly string[]): Token[] {
  return parts.map((text) => {
    const value = decimal(text);
    if (!value) throw new Unparseable("not a number");
    return { kind: "number", text, value, decimal: text.includes(".") };
  });
}
