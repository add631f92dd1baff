import { cleanAnswer } from "./clean.ts";
import { tokenize } from "./latex-tokens.ts";
import type { TokenizeOptions } from "./latex-tokens.ts";
import { MAX_ANSWER_CHARACTERS, MAX_ITEMS } from "./limits.ts";
import { apply, list } from "./node.ts";
import type { Node, Relation, SetOperator } from "./node.ts";
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
const OR_EQUAL: Partial<Record<Relation, Relation>> = { "<": "≤", ">": "≥" };
const SET_OPERATORS: Readonly<Record<string, SetOperator>> = {
  "\\cup": "∪",
  "\\bigcup": "∪",
  "\\cap": "∩",
  "\\setminus": "∖",
  "\\backslash": "∖",
};
const ARROWS = ["\\Rightarrow", "\\implies", "\\Longrightarrow", "\\to", "\\rightarrow", "\\iff", "\\therefore"];
const CLOSERS: Readonly<Record<string, readonly string[]>> = {
  "(": [")", "]"],
  "[": ["]", ")"],
  "\\{": ["\\}"],
  "\\langle": ["\\rangle"],
};
const SPACES = ["\\quad", "\\qquad"];
const MATRICES = new Set(["matrix", "pmatrix", "bmatrix", "vmatrix", "Bmatrix", "smallmatrix", "array"]);

/** Lists, relations, sets, intervals and matrices. */
class AnswerParser extends ExpressionParser {
  answer(): Node {
    this.#skipLead();
    const node = this.inside();
    // A derivation ends with its result: what follows the last arrow or line break.
    if (this.cursor.take(...ARROWS, "\\\\") !== undefined) return this.cursor.done ? node : this.answer();
    if (!this.cursor.done) throw new Unparseable(`unexpected ${this.cursor.next().text}`);
    return node;
  }

  #skipLead(): void {
    while (this.cursor.take("=", "&", ":", "\\\\", ...SPACES, ...ARROWS) !== undefined) continue;
  }

  protected inside(): Node {
    const items = [this.#relation()];
    while (this.#separator()) {
      if (this.#ends()) break;
      items.push(this.#relation());
      if (items.length > MAX_ITEMS) throw new Unparseable("too many items");
    }
    const [first] = items;
    return items.length === 1 && first ? first : list(items);
  }

  /** Commas, "and" and spaces, also several in a row (", and"). */
  #separator(): boolean {
    let found = false;
    for (;;) {
      const worded = this.cursor.peek()?.kind === "separator";
      if (worded) this.cursor.next();
      else if (this.cursor.take(",", ";", ...SPACES) === undefined) return found;
      found = true;
    }
  }

  #ends(): boolean {
    return this.cursor.done || this.cursor.at(")", "]", "}", "\\}", "\\rangle", "\\\\", ...ARROWS);
  }

  #relation(): Node {
    const sides = [this.#sets()];
    const ops: Relation[] = [];
    for (;;) {
      // An alignment mark before a relation; elsewhere `&` ends a matrix entry.
      if (this.cursor.at("&") && Object.hasOwn(RELATIONS, this.cursor.peek(1)?.text ?? "")) this.cursor.next();
      const found = this.cursor.take(...Object.keys(RELATIONS));
      const op = found === undefined ? undefined : RELATIONS[found];
      if (op === undefined) break;
      const orEqual = OR_EQUAL[op];
      ops.push(orEqual && this.cursor.take("=") !== undefined ? orEqual : op);
      sides.push(this.#sets());
    }
    const [first] = sides;
    return ops.length === 0 && first ? first : { kind: "relation", ops, sides };
  }

  #sets(): Node {
    let node = this.#ratio();
    for (;;) {
      const found = this.cursor.take(...Object.keys(SET_OPERATORS));
      const op = found === undefined ? undefined : SET_OPERATORS[found];
      if (op === undefined) return node;
      const right = this.#ratio();
      const joined = node.kind === "set-operation" && node.op === op && op !== "∖" ? node.items : [node];
      node = { kind: "set-operation", op, items: [...joined, right] };
    }
  }

  /** `7:32` is 7/32. */
  #ratio(): Node {
    let node = this.sum();
    while (this.cursor.take(":") !== undefined) node = apply("divide", node, this.sum());
    return node;
  }

  protected brackets(): Node {
    const open = this.cursor.next().text;
    const closers = CLOSERS[open] ?? [];
    const items: Node[] = [];
    while (!this.cursor.at(...closers)) {
      items.push(this.#relation());
      if (items.length > MAX_ITEMS) throw new Unparseable("too many items");
      if (!this.#separator()) break;
    }
    const close = this.cursor.expect(...closers);
    if (open === "\\{") return { kind: "sequence", shape: "set", open: "{", close: "}", items };
    const [first] = items;
    if (items.length === 1 && first && open !== "\\langle") return first;
    if (items.length === 0) throw new Unparseable("empty brackets");
    const round = open === "\\langle";
    return { kind: "sequence", shape: "tuple", open: round ? "(" : open, close: round ? ")" : close, items };
  }

  protected environment(): Node {
    const { text: name } = this.cursor.next();
    if (!MATRICES.has(name)) throw new Unparseable(`${name} is no matrix`);
    if (name === "array") this.#columnSpecification();
    const rows: Node[][] = [];
    while (this.cursor.peek()?.kind !== "end") {
      const row = [this.#relation()];
      while (this.cursor.take("&") !== undefined) row.push(this.#relation());
      rows.push(row);
      if (rows.length * row.length > MAX_ITEMS) throw new Unparseable("too many entries");
      if (this.cursor.take("\\\\") === undefined) break;
    }
    const { kind, text } = this.cursor.next();
    const ragged = rows.some((row) => row.length !== rows[0]?.length);
    if (kind !== "end" || text !== name || ragged || rows.length === 0) throw new Unparseable("not a matrix");
    return { kind: "matrix", rows };
  }

  #columnSpecification(): void {
    this.cursor.expect("{");
    while (this.cursor.take("}") === undefined) this.cursor.next();
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
  if (!tokens || tokens.length === 0) return undefined;
  try {
    return new AnswerParser(tokens).answer();
  } catch (error) {
    if (error instanceof Unparseable) return undefined;
    throw error;
  }
}
