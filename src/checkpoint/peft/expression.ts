/**
 * The part of Python's regular expressions that adapter configurations use, matched in bounded time. JavaScript's own
 * are another dialect and backtrack without end on hostile expressions.
 *
 * Known are literals, `.`, `\d \w \s \b` and their opposites, character classes, groups, `|`, repetition (greedy or lazy,
 * which makes no difference to whether a whole name matches), `^ $ \A \Z` and lookahead. Refused by name are
 * backreferences, lookbehind, flags, conditionals, and possessive and atomic groups.
 */
export class Expression {
  readonly #root: Node;
  readonly #budget: Budget;

  /**
   * @param budget steps that are left for all matches of a configuration
   * @throws ExpressionError for what is not known, and for what Python refuses
   */
  constructor(source: string, budget: Budget) {
    if (source.length > MAX_LENGTH) {
      throw new ExpressionError(`it has ${source.length} characters; the limit is ${MAX_LENGTH}`);
    }
    this.#root = new Parser(source).parse();
    this.#budget = budget;
  }

  /** As Python's `re.fullmatch`. @throws ExpressionError when it takes too many steps */
  matches(name: string): boolean {
    return new Match(name, this.#budget).ends(this.#root, 0).has(name.length);
  }

  /** As `re.match` of `(.*\.)?(expression)$`: it matches the name, or what follows one of its dots. */
  matchesFromDot(name: string): boolean {
    const match = new Match(name, this.#budget);
    for (let at = 0; at <= name.length; at++) {
      if ((at === 0 || name[at - 1] === ".") && match.ends(this.#root, at).has(name.length)) return true;
    }
    return false;
  }
}

/** An expression that is not supported, or none at all. */
export class ExpressionError extends Error {
  override readonly name = "ExpressionError";
}

export interface Budget {
  left: number;
}

const MAX_LENGTH = 8192;
const MAX_DEPTH = 64;
const MAX_STEPS = 20_000_000;

/** A second of matching or so. */
export function matchingBudget(): Budget {
  return { left: MAX_STEPS };
}

type Assertion = "start" | "end" | "boundary" | "inside";

type Node =
  | { readonly kind: "character"; readonly holds: (character: string) => boolean }
  | { readonly kind: "assertion"; readonly what: Assertion }
  | { readonly kind: "ahead"; readonly node: Node; readonly negative: boolean }
  | { readonly kind: "sequence"; readonly nodes: readonly Node[] }
  | { readonly kind: "choice"; readonly nodes: readonly Node[] }
  | { readonly kind: "repeat"; readonly node: Node; readonly least: number; readonly most: number };

/** Where in one name each node can end, by where it begins. Every pair is computed once, so that time is polynomial. */
class Match {
  readonly #name: string;
  readonly #budget: Budget;
  readonly #known = new Map<Node, Map<number, ReadonlySet<number>>>();

  constructor(name: string, budget: Budget) {
    this.#name = name;
    this.#budget = budget;
  }

  ends(node: Node, at: number): ReadonlySet<number> {
    const known = this.#known.get(node) ?? new Map<number, ReadonlySet<number>>();
    this.#known.set(node, known);
    const found = known.get(at) ?? this.#compute(node, at);
    known.set(at, found);
    return found;
  }

  #compute(node: Node, at: number): ReadonlySet<number> {
    this.#take(1);
    switch (node.kind) {
      case "character": {
        const character = this.#name[at];
        return new Set(character !== undefined && node.holds(character) ? [at + 1] : []);
      }
      case "assertion":
        return new Set(this.#asserts(node.what, at) ? [at] : []);
      case "ahead":
        return new Set(this.ends(node.node, at).size > 0 !== node.negative ? [at] : []);
      case "sequence":
        return node.nodes.reduce<ReadonlySet<number>>((ends, next) => this.#after(next, ends), new Set([at]));
      case "choice":
        return new Set(node.nodes.flatMap((one) => [...this.ends(one, at)]));
      case "repeat":
        return this.#repeated(node.node, at, node.least, node.most);
    }
  }

  #repeated(node: Node, at: number, least: number, most: number): ReadonlySet<number> {
    let ends: ReadonlySet<number> = new Set([at]);
    // After more rounds than the name has characters a set of ends no longer changes.
    const rounds = this.#name.length + 1;
    for (let i = 0; i < Math.min(least, rounds); i++) ends = this.#after(node, ends);
    const all = new Set(ends);
    for (let i = 0; i < Math.min(most - least, rounds) && ends.size > 0; i++) {
      ends = new Set([...this.#after(node, ends)].filter((end) => !all.has(end)));
      for (const end of ends) all.add(end);
    }
    return all;
  }

  #after(node: Node, starts: ReadonlySet<number>): ReadonlySet<number> {
    const ends = new Set<number>();
    for (const start of starts) {
      const own = this.ends(node, start);
      this.#take(1 + own.size);
      for (const end of own) ends.add(end);
    }
    return ends;
  }

  #asserts(what: Assertion, at: number): boolean {
    if (what === "start") return at === 0;
    if (what === "end") return at === this.#name.length;
    const isWord = (character: string | undefined): boolean => character !== undefined && WORD.test(character);
    const boundary = isWord(this.#name[at - 1]) !== isWord(this.#name[at]);
    return boundary === (what === "boundary");
  }

  #take(steps: number): void {
    this.#budget.left -= steps;
    if (this.#budget.left < 0) throw new ExpressionError("it takes too many steps to match");
  }
}

const WORD = /[\p{L}\p{N}_]/u;
const CLASSES: Readonly<Record<string, (character: string) => boolean>> = {
  d: (character) => /\p{Nd}/u.test(character),
  w: (character) => WORD.test(character),
  s: (character) => /\s/.test(character),
};
const ASSERTIONS: Readonly<Record<string, Assertion>> = { A: "start", Z: "end", b: "boundary", B: "inside" };
const CONTROLS: Readonly<Record<string, string>> = { t: "\t", n: "\n", r: "\r", f: "\f", v: "\v", a: "\u0007" };

class Parser {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  parse(): Node {
    const node = this.#choice();
    if (this.#at < this.#characters.length) throw this.#error("an unbalanced )");
    return node;
  }

  get #next(): string | undefined {
    return this.#characters[this.#at];
  }

  #eat(text: string): boolean {
    const found = this.#characters.slice(this.#at, this.#at + text.length).join("") === text;
    if (found) this.#at += text.length;
    return found;
  }

  #error(found: string): ExpressionError {
    return new ExpressionError(`found ${found} at character ${this.#at + 1}`);
  }

  #choice(): Node {
    if (++this.#depth > MAX_DEPTH) throw new ExpressionError(`groups are nested more than ${MAX_DEPTH} deep`);
    const nodes = [this.#sequence()];
    while (this.#eat("|")) nodes.push(this.#sequence());
    this.#depth--;
    const [only] = nodes;
    return nodes.length === 1 && only ? only : { kind: "choice", nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#next !== undefined && this.#next !== "|" && this.#next !== ")") nodes.push(this.#repetition());
    return { kind: "sequence", nodes };
  }

  #repetition(): Node {
    const node = this.#atom();
    const bounds = this.#bounds();
    if (!bounds) return node;
    if (node.kind === "assertion") throw this.#error("a repeated assertion");
    this.#eat("?");
    if (this.#next === "+") throw this.#error("a possessive or double repetition");
    const after = this.#at;
    if (this.#bounds()) {
      this.#at = after;
      throw this.#error("a double repetition");
    }
    return { kind: "repeat", node, ...bounds };
  }

  /** `{` that begins no repetition is a character, as in Python. */
  #bounds(): { readonly least: number; readonly most: number } | undefined {
    if (this.#eat("*")) return { least: 0, most: Infinity };
    if (this.#eat("+")) return { least: 1, most: Infinity };
    if (this.#eat("?")) return { least: 0, most: 1 };
    if (this.#next !== "{") return undefined;
    const text = this.#characters.slice(this.#at, this.#at + 16).join("");
    const groups = /^\{(?:(?<exact>\d+)|(?<least>\d*),(?<most>\d*))\}/.exec(text);
    if (!groups?.groups || groups[0] === "{,}") return undefined;
    const { exact, least = "", most = "" } = groups.groups;
    this.#at += groups[0].length;
    if (exact !== undefined) return { least: Number(exact), most: Number(exact) };
    const bounds = { least: Number(least), most: most === "" ? Infinity : Number(most) };
    if (bounds.most < bounds.least) throw this.#error("a repetition whose bounds are the wrong way round");
    return bounds;
  }

  #atom(): Node {
    const character = this.#next ?? "";
    if ("*+?".includes(character)) throw this.#error(`${character} with nothing to repeat`);
    this.#at++;
    if (character === "(") return this.#group();
    if (character === "[") return this.#class();
    if (character === "\\") return this.#escape();
    if (character === ".") return { kind: "character", holds: (one) => one !== "\n" };
    if (character === "^") return { kind: "assertion", what: "start" };
    if (character === "$") return { kind: "assertion", what: "end" };
    return literal(character);
  }

  #group(): Node {
    const ahead = this.#eat("?=") ? "=" : this.#eat("?!") ? "!" : undefined;
    if (ahead === undefined && !this.#eat("?:") && this.#next === "?") {
      const name = /^\?P<[A-Za-z_]\w*>/.exec(this.#characters.slice(this.#at, this.#at + 80).join(""))?.[0];
      if (name === undefined) {
        const found = this.#characters.slice(this.#at - 1, this.#at + 3).join("");
        throw this.#error(`the group ${found}; supported are (…), (?:…), (?P<name>…), (?=…) and (?!…)`);
      }
      this.#at += name.length;
    }
    const node = this.#choice();
    if (!this.#eat(")")) throw this.#error("the end within a group");
    return ahead === undefined ? node : { kind: "ahead", node, negative: ahead === "!" };
  }

  #escape(): Node {
    const character = this.#next;
    if (character === undefined) throw this.#error("the end after a backslash");
    const assertion = ASSERTIONS[character];
    if (assertion) {
      this.#at++;
      return { kind: "assertion", what: assertion };
    }
    if (/\d/.test(character)) throw this.#error("a backreference or an octal escape");
    return { kind: "character", holds: this.#escaped() };
  }

  /** What follows a backslash, in a class or outside. */
  #escaped(): (character: string) => boolean {
    const character = this.#next ?? "";
    this.#at++;
    const lower = character.toLowerCase();
    const known = CLASSES[lower];
    if (known) return lower === character ? known : (one) => !known(one);
    const control = CONTROLS[character] ?? (/[A-Za-z0-9]/.test(character) ? undefined : character);
    if (control === undefined || control === "") throw this.#error(`the escape \\${character}`);
    return (one) => one === control;
  }

  #class(): Node {
    const isNegated = this.#eat("^");
    const parts: ((character: string) => boolean)[] = [];
    for (let first = true; first || this.#next !== "]"; first = false) {
      const from = this.#classMember();
      // A hyphen before the bracket is a character.
      const isRange = this.#next === "-" && this.#characters[this.#at + 1] !== "]";
      if (!isRange) {
        parts.push(from.holds);
        continue;
      }
      this.#at++;
      const to = this.#classMember();
      const [low, high] = [from.character, to.character];
      if (low === undefined || high === undefined || low > high) throw this.#error("a bad range in a class");
      parts.push((one) => one >= low && one <= high);
    }
    this.#at++;
    return { kind: "character", holds: (one) => parts.some((part) => part(one)) !== isNegated };
  }

  #classMember(): { readonly character?: string; readonly holds: (character: string) => boolean } {
    const character = this.#next;
    if (character === undefined) throw this.#error("the end within a class");
    this.#at++;
    if (character !== "\\") return { character, holds: (one) => one === character };
    const escaped = this.#next ?? "";
    if (/\d/.test(escaped)) throw this.#error("an octal escape");
    const holds = this.#escaped();
    return /\w/.test(escaped) ? { holds } : { character: escaped, holds };
  }
}

function literal(character: string): Node {
  return { kind: "character", holds: (one) => one === character };
}
