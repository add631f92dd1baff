import { cleanAnswer } from "./clean.ts";
import { tokenize } from "./latex-tokens.ts";
import type { Token, TokenizeOptions } from "./latex-tokens.ts";
import { MAX_ANSWER_CHARACTERS, MAX_ITEMS } from "./limits.ts";
import { apply, list, tuple } from "./node.ts";
import type { Joint, Node, Relation, SequenceNode, SetOperator } from "./node.ts";
import { withVariable } from "./expression-parts.ts";
import { ExpressionParser } from "./parse-expression.ts";
import { Unparseable } from "./token-cursor.ts";

const RELATIONS: Readonly<Record<string, Relation>> = {
  "=": "=",
  "<": "<",
  ">": ">",
  "\\equiv": "=",
  "\\approx": "≈",
  "\\simeq": "≈",
  "\\cong": "≈",
  "~": "≈",
  "\\ne": "≠",
  "\\neq": "≠",
  "\\lt": "<",
  "\\gt": ">",
  "\\le": "≤",
  "\\leq": "≤",
  "\\leqslant": "≤",
  "\\ge": "≥",
  "\\geq": "≥",
  "\\geqslant": "≥",
  "\\in": "∈",
};
const RELATION_NAMES = new Set(Object.keys(RELATIONS));
const OR_EQUAL: Partial<Record<Relation, Relation>> = { "<": "≤", ">": "≥" };
const SET_OPERATORS: Readonly<Record<string, SetOperator>> = {
  "\\cup": "∪",
  "\\bigcup": "∪",
  "\\cap": "∩",
  "\\setminus": "∖",
  "\\backslash": "∖",
};
const SET_OPERATOR_NAMES = new Set(Object.keys(SET_OPERATORS));
const ARROWS = ["\\Rightarrow", "\\implies", "\\Longrightarrow", "\\to", "\\rightarrow", "\\iff", "\\therefore"];
const CLOSERS: Readonly<Record<string, readonly string[]>> = {
  "(": [")", "]", "["],
  "[": ["]", ")", "["],
  "]": ["[", "]", ")"],
  "\\{": ["\\}"],
  "\\langle": ["\\rangle"],
};
const SPACES = ["\\quad", "\\qquad"];
const SUCH_THAT = ["|", "\\mid", "\\vert", ":", "\\colon"];
/** Tokens of `x ∈ ℝ` in front of the bar of a set. */
const MAX_ELEMENT = 8;
const MATRICES = new Set(["matrix", "pmatrix", "bmatrix", "vmatrix", "Bmatrix", "smallmatrix", "array"]);
const CASES = new Set(["cases", "dcases", "rcases"]);

/** Lists, relations, sets, intervals and matrices. */
class AnswerParser extends ExpressionParser {
  answer(): Node {
    this.#skipLead();
    const node = this.inside();
    // A derivation ends with its result: what follows the last arrow or line break.
    if (this.cursor.take(...ARROWS, "\\\\") !== undefined) return this.cursor.done ? node : this.answer();
    if (this.cursor.take("\\over") !== undefined) return this.#ended(apply("divide", node, this.inside()));
    if (this.cursor.take("\\where") !== undefined) return this.#qualified(node);
    return this.#ended(node);
  }

  /** An expression and nothing else. */
  whole(): Node {
    return this.#ended(this.inside());
  }

  #ended(node: Node): Node {
    if (!this.cursor.done) throw new Unparseable(`unexpected ${this.cursor.next().text}`);
    return node;
  }

  /** What holds for the variables of the answer before it; words where it is no mathematics. */
  #qualified(value: Node): Node {
    const rest: Token[] = [];
    while (!this.cursor.done) rest.push(this.cursor.next());
    const condition = parseTokens(
      rest.filter(({ text }) => text !== "\\where"),
      (parser) => parser.whole(),
    );
    const words: Node = { kind: "text", text: rest.map(({ text }) => text).join(" ") };
    return { kind: "qualified", by: "condition", value, condition: condition ?? words };
  }

  #skipLead(): void {
    while (this.cursor.take("=", "&", ":", "\\\\", "\\approx", "~", ...SPACES, ...ARROWS) !== undefined) continue;
  }

  protected inside(): Node {
    const items = [this.#relation()];
    let joint: Joint = ",";
    for (let found = this.#separator(); found; found = this.#separator()) {
      if (found !== ",") joint = found;
      if (this.#ends()) break;
      items.push(this.#relation());
      if (items.length > MAX_ITEMS) throw new Unparseable("too many items");
    }
    const [first] = items;
    return items.length === 1 && first ? first : list(items, joint);
  }

  /** Commas, "and" and spaces, also several in a row (", and"): the word that joins, or a comma. */
  #separator(): Joint | undefined {
    let found: Joint | undefined;
    for (;;) {
      const token = this.cursor.peek();
      if (token?.kind === "separator") {
        this.cursor.next();
        found = token.joint === "," ? (found ?? ",") : token.joint;
      } else if (this.cursor.take(",", ";", ...SPACES) === undefined) return found;
      else found ??= ",";
    }
  }

  #ends(): boolean {
    return this.cursor.done || this.cursor.at(")", "]", "}", "\\}", "\\rangle", "\\\\", "\\where", ...ARROWS);
  }

  #relation(): Node {
    const sides = [this.#sets()];
    const ops: Relation[] = [];
    for (;;) {
      // An alignment mark before a relation; elsewhere `&` ends a matrix entry.
      if (this.cursor.at("&") && Object.hasOwn(RELATIONS, this.cursor.peek(1)?.text ?? "")) this.cursor.next();
      const negated = this.cursor.take("\\not") !== undefined || this.#takeUnequal();
      const found = this.cursor.among(RELATION_NAMES);
      const op = found === undefined ? undefined : RELATIONS[found];
      if (op === undefined) break;
      this.cursor.next();
      if (negated && op !== "=") throw new Unparseable("a negated relation");
      const orEqual = OR_EQUAL[op];
      const isOr = orEqual !== undefined && this.cursor.take("=") !== undefined;
      ops.push(negated ? "≠" : isOr ? orEqual : op);
      sides.push(this.#sets());
    }
    const [first] = sides;
    const node: Node = ops.length === 0 && first ? first : { kind: "relation", ops, sides };
    if (this.cursor.take("\\pmod") === undefined) return node;
    return { kind: "qualified", by: "modulus", value: node, condition: this.inside() };
  }

  /** `!=` */
  #takeUnequal(): boolean {
    const isUnequal = this.cursor.at("!") && this.cursor.peek(1)?.text === "=";
    if (isUnequal) this.cursor.next();
    return isUnequal;
  }

  #sets(): Node {
    let node = this.#ratio();
    for (;;) {
      const found = this.cursor.among(SET_OPERATOR_NAMES);
      const op = found === undefined ? undefined : SET_OPERATORS[found];
      if (op === undefined) return node;
      this.cursor.next();
      const right = this.#ratio();
      const joined = node.kind === "set-operation" && node.op === op && op !== "∖" ? node.items : [node];
      node = { kind: "set-operation", op, items: [...joined, right] };
    }
  }

  /** `7:32`, `1:2:3` */
  #ratio(): Node {
    const parts = [this.sum()];
    while (this.elementDepth === 0 && this.cursor.take(":") !== undefined) parts.push(this.sum());
    const [first] = parts;
    if (parts.length === 1 && first) return first;
    return { kind: "sequence", shape: "ratio", open: "", close: "", items: parts };
  }

  protected setBuilder(close: string): Node | undefined {
    if (!this.#isBuilder()) return undefined;
    this.elementDepth++;
    const element = this.#relation();
    this.elementDepth--;
    this.cursor.expect(...SUCH_THAT);
    const condition = this.inside();
    this.cursor.expect(close);
    return { kind: "set-builder", element, condition };
  }

  /** Is what follows `x |` or `x ∈ ℝ :`? */
  #isBuilder(): boolean {
    if (this.cursor.peek()?.kind !== "letter") return false;
    const next = this.cursor.peek(1)?.text ?? "";
    if (SUCH_THAT.includes(next)) return true;
    if (next !== "\\in") return false;
    for (let ahead = 2; ahead < MAX_ELEMENT; ahead++) {
      if (SUCH_THAT.includes(this.cursor.peek(ahead)?.text ?? "")) return true;
    }
    return false;
  }

  protected brackets(): Node {
    const open = this.cursor.next().text;
    if (open === "\\{") {
      const builder = this.setBuilder("\\}");
      if (builder) return builder;
    }
    const closers = CLOSERS[open] ?? [];
    const items: Node[] = [];
    // `[` closes the interval [0, 1[ only after its two ends.
    const isClosed = (): boolean => this.cursor.at(...closers) && (items.length >= 2 || !this.cursor.at("["));
    while (!isClosed()) {
      items.push(this.#relation());
      if (items.length > MAX_ITEMS) throw new Unparseable("too many items");
      if (!this.#separator()) break;
    }
    const close = this.cursor.expect(...closers);
    if (open === "\\{") return { kind: "sequence", shape: "set", open: "{", close: "}", items };
    const isTurned = open === "]" || close === "[";
    if (isTurned && items.length !== 2) throw new Unparseable("not an interval");
    const [first] = items;
    if (items.length === 1 && first && open !== "\\langle") return first;
    if (items.length === 0) throw new Unparseable("empty brackets");
    if (open === "\\langle") return tuple(items);
    return asMatrix(tuple(items, open, close)) ?? tuple(items, open, close);
  }

  protected environment(): Node {
    const { text: name } = this.cursor.next();
    const isCases = CASES.has(name);
    if (!MATRICES.has(name) && !isCases) throw new Unparseable(`${name} is no matrix`);
    if (name === "array") this.#columnSpecification();
    const rows: Node[][] = [];
    while (this.cursor.peek()?.kind !== "end") {
      const row = [this.#relation()];
      while (this.cursor.take("&") !== undefined || (isCases && this.#separator())) {
        this.cursor.take("\\where");
        row.push(this.#relation());
      }
      rows.push(row);
      if (rows.length * row.length > MAX_ITEMS) throw new Unparseable("too many entries");
      if (this.cursor.take("\\\\") === undefined) break;
    }
    const { kind, text } = this.cursor.next();
    if (kind !== "end" || text !== name || rows.length === 0) throw new Unparseable("not a matrix");
    if (isCases) return list(rows.map(asCase));
    if (rows.some((row) => row.length !== rows[0]?.length)) throw new Unparseable("not a matrix");
    const matrix: Node = { kind: "matrix", rows };
    return name === "vmatrix" ? apply("det", matrix) : matrix;
  }

  #columnSpecification(): void {
    this.cursor.expect("{");
    while (this.cursor.take("}") === undefined) this.cursor.next();
  }

  protected indexOf(tokens: readonly Token[]): Node | undefined {
    const node = parseTokens(tokens, (parser) => parser.whole());
    return node && withVariable(withVariable(node, "i"), "e");
  }
}

/** A line of a definition by cases: a value with its condition. */
function asCase(row: readonly Node[]): Node {
  const [value, ...conditions] = row;
  const [condition] = conditions;
  if (!value) throw new Unparseable("an empty case");
  if (!condition) return value;
  return {
    kind: "qualified",
    by: "condition",
    value,
    condition: conditions.length === 1 ? condition : list(conditions),
  };
}

/** `[[1, 2], [3, 4]]` */
function asMatrix({ open, close, items }: SequenceNode): Node | undefined {
  if (open !== "[" || close !== "]") return undefined;
  const rows = items.flatMap((item) => {
    const isRow = item.kind === "sequence" && item.shape === "tuple" && item.open === "[" && item.close === "]";
    return isRow ? [item.items] : [];
  });
  const isWhole = rows.length === items.length && rows.every((row) => row.length === rows[0]?.length);
  return isWhole ? { kind: "matrix", rows } : undefined;
}

function parseTokens(tokens: readonly Token[], parse: (parser: AnswerParser) => Node): Node | undefined {
  if (tokens.length === 0) return undefined;
  try {
    return parse(new AnswerParser(tokens));
  } catch (error) {
    if (error instanceof Unparseable) return undefined;
    throw error;
  }
}

/**
 * An answer's expression tree.
 * @param text LaTeX or plain mathematics without delimiters
 * @returns undefined for what is no mathematics, or longer or deeper than the limits
 */
export function parseAnswer(text: string, options: TokenizeOptions): Node | undefined {
  if (text.length > MAX_ANSWER_CHARACTERS) return undefined;
  const tokens = tokenize(cleanAnswer(text), options);
  return tokens && parseTokens(tokens, (parser) => parser.answer());
}
