import type { BinaryOp, Body, CallArgs, CompareOp, Expr, Node, Signature } from "./ast.ts";
import { TemplateError } from "./error.ts";
import { tokenize } from "./lexer.ts";
import type { Token, TokenType } from "./lexer.ts";

const NO_ARGS: CallArgs = { positional: [], keywords: [], star: undefined, starStar: undefined };
const COMPARISONS: ReadonlySet<string> = new Set(["==", "!=", "<", "<=", ">", ">="]);

/** Statements that other templates are needed for: transformers renders a template without any loader. */
const LOADING: ReadonlySet<string> = new Set(["include", "import", "from", "extends"]);

/**
 * Parses a template as Jinja2 does, with the extensions of transformers (`break`, `continue`, `generation`).
 * @throws TemplateError naming the line
 */
export function parse(template: string): Body {
  return new Parser(tokenize(template)).parse();
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #loops = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Body {
    return this.#body([]);
  }

  get #now(): Token {
    return this.#tokens[this.#at] ?? { type: "eof", value: "", line: 0 };
  }

  #is(type: TokenType, value?: string): boolean {
    const token = this.#now;
    return token.type === type && (value === undefined || token.value === value);
  }

  #isOp(value: string): boolean {
    return this.#is("operator", value);
  }

  #isName(value: string): boolean {
    return this.#is("name", value);
  }

  #nextIs(type: TokenType, value: string): boolean {
    const token = this.#tokens[this.#at + 1];
    return token?.type === type && token.value === value;
  }

  #take(): Token {
    const token = this.#now;
    this.#at++;
    return token;
  }

  #skip(type: TokenType, value: string): boolean {
    if (!this.#is(type, value)) return false;
    this.#at++;
    return true;
  }

  #expect(type: TokenType, value?: string): Token {
    if (!this.#is(type, value)) throw this.#error(`expected ${value ?? type}, got ${describe(this.#now)}`);
    return this.#take();
  }

  #error(message: string, { line } = this.#now): TemplateError {
    return new TemplateError(`line ${line}: ${message}`);
  }

  /** Nodes up to one of the tags given, which is left; to the end where none is given. */
  #body(ends: readonly string[]): Body {
    const body: Node[] = [];
    for (;;) {
      const token = this.#take();
      if (token.type === "eof") {
        if (ends.length === 0) return body;
        throw this.#error(`Unexpected end of template. Jinja was looking for the following tags: ${ends.join(", ")}.`);
      }
      if (token.type === "data") body.push({ kind: "data", text: token.value });
      else if (token.type === "variable_begin") {
        body.push({ kind: "output", value: this.#tuple() });
        this.#expect("variable_end");
      } else {
        const tag = this.#now;
        if (tag.type === "name" && ends.includes(tag.value)) return body;
        body.push(...this.#statement());
        this.#expect("block_end");
      }
    }
  }

  /** The body of a statement: from the end of its tag up to one of the tags given, whose name is taken. */
  #statements(...ends: readonly string[]): { readonly body: Body; readonly end: string } {
    this.#skip("operator", ":");
    this.#expect("block_end");
    const body = this.#body(ends);
    return { body, end: this.#take().value };
  }

  #statement(): readonly Node[] {
    const tag = this.#take();
    if (tag.type !== "name") throw this.#error("tag name expected", tag);
    switch (tag.value) {
      case "for":
        return [this.#for()];
      case "if":
        return [this.#if()];
      case "set":
        return [this.#set()];
      case "with":
        return [this.#with()];
      case "macro": {
        const name = this.#expect("name").value;
        const signature = this.#signature();
        return [{ kind: "macro", name, signature, body: this.#alone("endmacro") }];
      }
      case "call":
        return [this.#callBlock()];
      case "filter":
        return [{ kind: "filterblock", filter: this.#filters(undefined, true), body: this.#nested("endfilter") }];
      case "print": {
        const nodes: Node[] = [];
        while (!this.#is("block_end")) {
          if (nodes.length > 0) this.#expect("operator", ",");
          nodes.push({ kind: "output", value: this.#expression() });
        }
        return nodes;
      }
      case "block": {
        const name = this.#expect("name").value;
        this.#skip("name", "scoped");
        this.#skip("name", "required");
        const body = this.#alone("endblock");
        this.#skip("name", name);
        return [{ kind: "block", name, body }];
      }
      case "autoescape":
        this.#expression();
        return [{ kind: "scope", body: this.#nested("endautoescape") }];
      case "generation":
        return [{ kind: "scope", body: this.#alone("endgeneration") }];
      case "break":
      case "continue":
        if (this.#loops === 0) throw this.#error(`'${tag.value}' outside loop`, tag);
        return [{ kind: tag.value }];
    }
    if (LOADING.has(tag.value)) {
      throw this.#error(`'${tag.value}' needs other templates, and a chat template has none`, tag);
    }
    throw this.#error(`Encountered unknown tag '${tag.value}'.`, tag);
  }

  #nested(end: string): Body {
    return this.#statements(end).body;
  }

  /** A body that is a function of its own: a loop around it is not its loop. */
  #alone(end: string): Body {
    const loops = this.#loops;
    this.#loops = 0;
    const body = this.#nested(end);
    this.#loops = loops;
    return body;
  }

  #for(): Node {
    const target = this.#target({ end: "in" });
    this.#expect("name", "in");
    const iterable = this.#tuple({ conditional: false, end: "recursive" });
    const test = this.#skip("name", "if") ? this.#expression() : undefined;
    const recursive = this.#skip("name", "recursive");
    this.#loops++;
    const { body, end } = this.#statements("endfor", "else");
    this.#loops--;
    const otherwise = end === "else" ? this.#nested("endfor") : [];
    return { kind: "for", target, iterable, test, recursive, body, otherwise };
  }

  #if(): Node {
    const branches: { test: Expr; body: Body }[] = [];
    for (;;) {
      const test = this.#tuple({ conditional: false });
      const { body, end } = this.#statements("elif", "else", "endif");
      branches.push({ test, body });
      if (end === "elif") continue;
      return { kind: "if", branches, otherwise: end === "else" ? this.#nested("endif") : [] };
    }
  }

  #set(): Node {
    const target = this.#target({ namespace: true });
    if (this.#skip("operator", "=")) return { kind: "set", target, value: this.#tuple() };
    const filter = this.#isOp("|") ? this.#filters(undefined) : undefined;
    return { kind: "setblock", target, filter, body: this.#nested("endset") };
  }

  #with(): Node {
    const targets: Expr[] = [];
    const values: Expr[] = [];
    while (!this.#is("block_end")) {
      if (targets.length > 0) this.#expect("operator", ",");
      targets.push(this.#target());
      this.#expect("operator", "=");
      values.push(this.#expression());
    }
    return { kind: "with", targets, values, body: this.#nested("endwith") };
  }

  #callBlock(): Node {
    const signature = this.#isOp("(") ? this.#signature() : { names: [], defaults: [] };
    const call = this.#expression();
    if (call.kind !== "call") throw this.#error("expected call");
    return { kind: "callblock", call, signature, body: this.#alone("endcall") };
  }

  #signature(): Signature {
    const names: string[] = [];
    const defaults: Expr[] = [];
    this.#expect("operator", "(");
    while (!this.#isOp(")")) {
      if (names.length > 0) this.#expect("operator", ",");
      names.push(this.#expect("name").value);
      if (this.#skip("operator", "=")) defaults.push(this.#expression());
      else if (defaults.length > 0) throw this.#error("non-default argument follows default argument");
    }
    this.#expect("operator", ")");
    return { names, defaults };
  }

  /** What is assigned to: names, or tuples of them. */
  #target(options: { readonly end?: string; readonly namespace?: boolean } = {}): Expr {
    const target = this.#tuple({ ...options, simple: true });
    const check = (expr: Expr): void => {
      if (expr.kind === "tuple") for (const item of expr.items) check(item);
      else if (expr.kind !== "nsref" && expr.kind !== "name") throw this.#error(`can't assign to '${expr.kind}'`);
    };
    check(target);
    return target;
  }

  #tuple(
    options: {
      readonly simple?: boolean;
      readonly conditional?: boolean;
      readonly end?: string;
      readonly parentheses?: boolean;
      readonly namespace?: boolean;
    } = {},
  ): Expr {
    const { simple = false, conditional = true, end, parentheses = false, namespace = false } = options;
    const items: Expr[] = [];
    let isTuple = false;
    for (;;) {
      if (items.length > 0) this.#expect("operator", ",");
      const ended = this.#is("variable_end") || this.#is("block_end") || this.#isOp(")");
      if (ended || (end !== undefined && this.#isName(end))) break;
      items.push(simple ? this.#primary(namespace) : this.#expression(conditional));
      if (!this.#isOp(",")) break;
      isTuple = true;
    }
    if (isTuple) return { kind: "tuple", items };
    const [only] = items;
    if (only) return only;
    if (!parentheses) throw this.#error(`Expected an expression, got ${describe(this.#now)}`);
    return { kind: "tuple", items };
  }

  #expression(conditional = true): Expr {
    let expr = this.#or();
    while (conditional && this.#skip("name", "if")) {
      const test = this.#or();
      const no = this.#skip("name", "else") ? this.#expression() : undefined;
      expr = { kind: "cond", test, yes: expr, no };
    }
    return expr;
  }

  #or(): Expr {
    let left = this.#and();
    while (this.#skip("name", "or")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Expr {
    let left = this.#not();
    while (this.#skip("name", "and")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Expr {
    return this.#skip("name", "not") ? { kind: "not", value: this.#not() } : this.#compare();
  }

  #compare(): Expr {
    const first = this.#sum();
    const rest: (readonly [CompareOp, Expr])[] = [];
    for (;;) {
      const { type, value } = this.#now;
      if (type === "operator" && COMPARISONS.has(value)) {
        this.#take();
        rest.push([value as CompareOp, this.#sum()]);
      } else if (this.#skip("name", "in")) rest.push(["in", this.#sum()]);
      else if (this.#isName("not") && this.#nextIs("name", "in")) {
        this.#at += 2;
        rest.push(["not in", this.#sum()]);
      } else return rest.length === 0 ? first : { kind: "compare", first, rest };
    }
  }

  #binary(ops: readonly BinaryOp[], operand: () => Expr): Expr {
    let left = operand();
    for (;;) {
      const op = this.#now.type === "operator" ? ops.find((one) => one === this.#now.value) : undefined;
      if (op === undefined) return left;
      this.#take();
      left = { kind: "binary", op, left, right: operand() };
    }
  }

  #sum(): Expr {
    return this.#binary(["+", "-"], () => this.#concat());
  }

  #concat(): Expr {
    const first = this.#product();
    if (!this.#isOp("~")) return first;
    const items = [first];
    while (this.#skip("operator", "~")) items.push(this.#product());
    return { kind: "concat", items };
  }

  #product(): Expr {
    return this.#binary(["*", "/", "//", "%"], () => this.#binary(["**"], () => this.#unary()));
  }

  #unary(withFilter = true): Expr {
    let expr: Expr;
    if (this.#skip("operator", "-")) expr = { kind: "unary", op: "-", value: this.#unary(false) };
    else if (this.#skip("operator", "+")) expr = { kind: "unary", op: "+", value: this.#unary(false) };
    else expr = this.#primary();
    expr = this.#postfix(expr);
    return withFilter ? this.#filterExpr(expr) : expr;
  }

  #primary(namespace = false): Expr {
    const token = this.#take();
    const { value } = token;
    switch (token.type) {
      case "name":
        if (value === "true" || value === "True") return { kind: "const", value: true };
        if (value === "false" || value === "False") return { kind: "const", value: false };
        if (value === "none" || value === "None") return { kind: "const", value: null };
        if (namespace && this.#skip("operator", ".")) {
          return { kind: "nsref", name: value, attr: this.#expect("name").value };
        }
        return { kind: "name", name: value };
      case "string": {
        let text = value;
        while (this.#is("string")) text += this.#take().value;
        return { kind: "const", value: text };
      }
      case "integer":
        return { kind: "const", value: BigInt(value) };
      case "float":
        return { kind: "const", value: Number(value) };
      case "operator":
        if (value === "(") {
          const expr = this.#tuple({ parentheses: true });
          this.#expect("operator", ")");
          return expr;
        }
        if (value === "[") return { kind: "list", items: this.#items("]", () => this.#expression()) };
        if (value === "{") {
          const pair = (): readonly [Expr, Expr] => {
            const key = this.#expression();
            this.#expect("operator", ":");
            return [key, this.#expression()];
          };
          return { kind: "dict", items: this.#items("}", pair) };
        }
    }
    throw this.#error(`unexpected ${describe(token)}`, token);
  }

  /** Items between commas, of which the last may be followed by one, up to a bracket that is taken. */
  #items<T>(end: string, one: () => T): T[] {
    const items: T[] = [];
    while (!this.#isOp(end)) {
      if (items.length > 0) this.#expect("operator", ",");
      if (this.#isOp(end)) break;
      items.push(one());
    }
    this.#expect("operator", end);
    return items;
  }

  #postfix(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.#skip("operator", ".")) {
        const token = this.#take();
        if (token.type === "name") expr = { kind: "attr", object: expr, name: token.value };
        else if (token.type === "integer") {
          expr = { kind: "item", object: expr, key: { kind: "const", value: BigInt(token.value) } };
        } else throw this.#error("expected name or number", token);
      } else if (this.#skip("operator", "[")) {
        const keys: Expr[] = [];
        while (!this.#isOp("]")) {
          if (keys.length > 0) this.#expect("operator", ",");
          keys.push(this.#subscript());
        }
        this.#take();
        const [only] = keys;
        expr = { kind: "item", object: expr, key: only && keys.length === 1 ? only : { kind: "tuple", items: keys } };
      } else if (this.#isOp("(")) expr = { kind: "call", callee: expr, args: this.#args() };
      else return expr;
    }
  }

  #subscript(): Expr {
    let start: Expr | undefined;
    if (!this.#isOp(":")) {
      start = this.#expression();
      if (!this.#isOp(":")) return start;
    }
    this.#take();
    const part = (): Expr | undefined =>
      this.#isOp(":") || this.#isOp("]") || this.#isOp(",") ? undefined : this.#expression();
    const stop = part();
    const step = this.#skip("operator", ":") ? part() : undefined;
    return { kind: "slice", start, stop, step };
  }

  #filterExpr(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.#isOp("|")) expr = this.#filters(expr);
      else if (this.#isName("is")) expr = this.#test(expr);
      else if (this.#isOp("(")) expr = { kind: "call", callee: expr, args: this.#args() };
      else return expr;
    }
  }

  /** Filters on a value; without one, on what a block has rendered. */
  #filters(value: Expr | undefined, startsInline = false): Expr {
    let expr = value;
    let inline = startsInline;
    while (this.#isOp("|") || inline) {
      if (!inline) this.#take();
      const name = this.#dotted();
      expr = { kind: "filter", value: expr, name, args: this.#isOp("(") ? this.#args() : NO_ARGS };
      inline = false;
    }
    if (!expr) throw this.#error("expected a filter");
    return expr;
  }

  #dotted(): string {
    let name = this.#expect("name").value;
    while (this.#skip("operator", ".")) name += `.${this.#expect("name").value}`;
    return name;
  }

  #test(value: Expr): Expr {
    this.#take();
    const negated = this.#skip("name", "not");
    const name = this.#dotted();
    let args = NO_ARGS;
    if (this.#isOp("(")) args = this.#args();
    else if (this.#testTakesOperand()) {
      if (this.#isName("is")) throw this.#error("You cannot chain multiple tests with is");
      args = { ...NO_ARGS, positional: [this.#postfix(this.#primary())] };
    }
    const test: Expr = { kind: "test", value, name, args };
    return negated ? { kind: "not", value: test } : test;
  }

  #testTakesOperand(): boolean {
    const { type, value } = this.#now;
    if (type === "name") return value !== "else" && value !== "or" && value !== "and";
    return ["string", "integer", "float"].includes(type) || this.#isOp("[") || this.#isOp("{");
  }

  #args(): CallArgs {
    const open = this.#expect("operator", "(");
    const positional: Expr[] = [];
    const keywords: (readonly [string, Expr])[] = [];
    let star: Expr | undefined;
    let starStar: Expr | undefined;
    const ensure = (holds: boolean): void => {
      if (!holds) throw this.#error("invalid syntax for function call expression", open);
    };
    let first = true;
    while (!this.#isOp(")")) {
      if (!first) {
        this.#expect("operator", ",");
        if (this.#isOp(")")) break;
      }
      first = false;
      if (this.#skip("operator", "*")) {
        ensure(!star && !starStar);
        star = this.#expression();
      } else if (this.#skip("operator", "**")) {
        ensure(!starStar);
        starStar = this.#expression();
      } else if (this.#is("name") && this.#nextIs("operator", "=")) {
        ensure(!starStar);
        const name = this.#take().value;
        this.#take();
        keywords.push([name, this.#expression()]);
      } else {
        ensure(!star && !starStar && keywords.length === 0);
        positional.push(this.#expression());
      }
    }
    this.#expect("operator", ")");
    return { positional, keywords, star, starStar };
  }
}

function describe({ type, value }: Token): string {
  if (type === "eof") return "end of template";
  if (type === "variable_end" || type === "block_end")
    return type === "block_end" ? "end of statement" : "end of print";
  return `'${value}'`;
}
