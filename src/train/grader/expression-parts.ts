import type { Token } from "./latex-tokens.ts";
import { apply, whole } from "./node.ts";
import type { Node } from "./node.ts";
import { applyToQuantities } from "./quantity.ts";
import { decimal } from "./rational.ts";
import { Unparseable } from "./token-cursor.ts";
import { unitNamed } from "./units.ts";
import type { Unit } from "./units.ts";

export const FRACTIONS = ["\\frac", "\\dfrac", "\\tfrac", "\\cfrac"];
export const BINOMIALS = ["\\binom", "\\dbinom", "\\tbinom"];
export const TIMES = ["*", "\\cdot", "\\times", "\\ast"];
export const OVER = ["/", "\\div"];
export const DEGREES = ["\\circ", "\\degree"];
const MODULI = ["\\bmod", "\\mod"];
/** What may follow an atom, or a factor: looked up once for each token, for speed. */
export const AFTER_ATOM: ReadonlySet<string> = new Set(["!", "%", "^", ...DEGREES, "$", "€", "£", "¥", "₹"]);
export const BETWEEN_FACTORS: ReadonlySet<string> = new Set([...TIMES, ...OVER, ...MODULI]);
export const SIGNS: ReadonlySet<string> = new Set(["+", "-", "\\pm", "\\mp"]);
export const SERIES: Readonly<Record<string, string>> = { "\\sum": "sum", "\\prod": "product" };
export const CURRENCIES = ["$", "€", "£", "¥", "₹"];
/** Fonts, accents and geometric marks: what they mark is what counts. */
export const MARKS = new Set(
  (
    "\\mathrm \\mathbf \\mathit \\mathsf \\mathcal \\boldsymbol \\bm \\vec \\hat \\bar \\tilde \\overline \\overrightarrow " +
    "\\underline \\angle \\triangle \\boxed \\fbox \\rm \\bf \\text \\textbf \\textit"
  ).split(" "),
);
export const SYMBOLS = new Set(
  (
    "\\alpha \\beta \\gamma \\delta \\epsilon \\varepsilon \\zeta \\eta \\theta \\vartheta \\iota \\kappa \\lambda \\mu " +
    "\\nu \\xi \\rho \\sigma \\tau \\phi \\varphi \\chi \\psi \\omega \\Gamma \\Delta \\Theta \\Lambda \\Xi \\Pi \\Sigma " +
    "\\Phi \\Psi \\Omega \\ell \\ldots \\cdots \\dots \\hbar"
  ).split(" "),
);
/** Letters that are functions where a bracket follows at once: f(x), P(2), O(n). */
export const FUNCTION_LETTERS = new Set([...Array.from("fghFGHOPQRSTW"), "\\Theta", "\\Omega"]);
export const CONSTANT_LETTERS: Readonly<Record<string, "e" | "i">> = { e: "e", i: "i" };
/** Functions of several arguments. */
export const VARIADIC = new Set(["max", "min", "gcd", "lcm"]);
/** Brackets around one expression that are functions of it, by what opens them. */
export const FENCES: Readonly<Record<string, { readonly close: string; readonly op: string }>> = {
  "\\lvert": { close: "\\rvert", op: "abs" },
  "\\lVert": { close: "\\rVert", op: "abs" },
  "\\|": { close: "\\|", op: "abs" },
  "\\lfloor": { close: "\\rfloor", op: "floor" },
  "\\lceil": { close: "\\rceil", op: "ceil" },
};
export const ATOM_COMMANDS = new Set([
  ...FRACTIONS,
  ...BINOMIALS,
  ...MARKS,
  ...SYMBOLS,
  ...Object.keys(SERIES),
  ...Object.keys(FENCES),
  ..."\\sqrt \\pi \\infty \\emptyset \\varnothing \\mathbb \\{ \\langle".split(" "),
]);
ATOM_COMMANDS.delete("\\|");
export const ATOM_KINDS = new Set<Token["kind"]>(["number", "letter", "function", "text", "begin"]);

export const PI: Node = { kind: "constant", name: "pi" };
export const DEGREE: Unit = unitNamed("deg") ?? { factor: 1, powers: { deg: 1 } };

export function argumentsOf(node: Node): readonly Node[] {
  return node.kind === "sequence" && node.shape === "tuple" ? node.items : [node];
}

/** `\mathbf{i}` is a unit vector. */
export function asVector(node: Node, mark: string): Node {
  const isVector = ["\\mathbf", "\\vec", "\\hat", "\\boldsymbol", "\\bm", "\\bf"].includes(mark);
  return isVector && node.kind === "constant" ? { kind: "symbol", name: node.name } : node;
}

/** The node with a letter that was read as a constant as a variable. */
export function withVariable(node: Node, name: string): Node {
  if (node.kind === "constant") return node.name === name ? { kind: "symbol", name } : node;
  if (node.kind !== "apply") return node;
  return { ...node, args: node.args.map((arg) => withVariable(arg, name)) };
}

/** An angle in degrees, as a function takes it. */
export function inRadians(angle: Node): Node {
  if (angle.kind !== "quantity") return angle;
  if (angle.unit.powers["deg"] !== 1 || angle.unit.factor !== 1) return angle.value;
  return apply("divide", apply("multiply", angle.value, PI), whole(180));
}

/** One node alone, or all under an operator. */
export function joined(op: string, nodes: readonly Node[]): Node {
  const [first] = nodes;
  return nodes.length === 1 && first ? first : applyToQuantities(op, ...nodes);
}

/** 12½%: the percentage is of the whole. */
export function mixed(units: Node, fraction: Node): Node {
  if (fraction.kind !== "apply" || fraction.op !== "percent") return apply("add", units, fraction);
  return apply("percent", apply("add", units, ...fraction.args));
}

export function isNumber(node: Node | undefined, value: bigint): boolean {
  return node?.kind === "number" && node.value.denominator === 1n && node.value.numerator === value;
}

/** A fraction of two whole numbers below one: after a whole number it makes a mixed number. */
export function isProperFraction(node: Node): boolean {
  if (node.kind !== "apply") return false;
  const [top, bottom] = node.args;
  if (node.op === "percent") return top !== undefined && isProperFraction(top);
  if (node.op !== "divide" || top?.kind !== "number" || bottom?.kind !== "number") return false;
  return !top.decimal && !bottom.decimal && top.value.numerator < bottom.value.numerator;
}

export function numberTokens(...parts: readonly string[]): Token[] {
  return parts.map((text) => {
    const value = decimal(text);
    if (!value) throw new Unparseable("not a number");
    const places = text.includes(".") ? text.length - text.indexOf(".") - 1 : 0;
    return { kind: "number", text, value, decimal: places > 0, decimals: places };
  });
}
