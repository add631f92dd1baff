import type { BinaryOp, CallArgs, CompareOp, Expr } from "./ast.ts";
import { TemplateError } from "./error.ts";
import type { Token, TokenType } from "./lexer.ts";

const NO_ARGS: CallArgs = { positional: [], keywords: [], star: undefined, starStar: undefined };
const COMPARISONS: readonly CompareOp[] = ["==", "!=", "<", "<=", ">", ">="];

/** Reads expressions from a template's tokens, with Jinja2's precedence. */
export class ExpressionParser {
  protected readonly tokens: readonly Token[];
  protected at = 0;

  constructor(tokens: readonly Token[]) {
    this.tokens = tokens;
  }

  protected get now(): Token {
    return this.tokens[this.at] ?? { type: "eof", value: "", line: 0 };
  }

  protected is(type: TokenType, value?: string): boolean {
    const token = this.now;
    return token.type === type && (value === undefined || token.value === value);
  }

  protected isOp(value: string): boolean {
    return this.is("operator", value);
  }

  protected isName(value: string): boolean {
    return this.is("name", value);
  }

  protected nextIs(type: TokenType, value: string): boolean {
    const token = this.tokens[this.at + 1];
    return token?.type === type && token.value === value;
  }

  protected take(): Token {
    const token = this.now;
    this.at++;
    return token;
  }

  protected skip(type: TokenType, value: string): boolean {
    if (!this.is(type, value)) return false;
    this.at++;
    return true;
  }

  protected expect(type: TokenType, value?: string): Token {
    if (!this.is(type, value)) throw this.error(`expected ${value ?? type}, got ${describe(this.now)}`);
    return this.take();
  }

  protected error(message: string, { line } = this.now): TemplateError {
    return new TemplateError(`line ${line}: ${message}`);
  }

  /** What is assigned to: names, or tuples of them. */
  protected target(options: { readonly end?: string; readonly namespace?: boolean } = {}): Expr {
    const target = this.tuple({ ...options, simple: true });
    const check = (expr: Expr): void => {
      if (expr.kind === "tuple") for (const item of expr.items) check(item);
      else if (expr.kind !== "nsref" && expr.kind !== "name") throw this.error(`can't assign to '${expr.kind}'`);
    };
    check(target);
    return target;
  }

  protected tuple(
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
      if (items.length > 0) this.expect("operator", ",");
      const ended = this.is("variable_end") || this.is("block_end") || this.isOp(")");
      if (ended || (end !== undefined && this.isName(end))) break;
      items.push(simple ? this.primary(namespace) : this.expression(conditional));
      if (!this.isOp(",")) break;
      isTuple = true;
    }
    if (isTuple) return { kind: "tuple", items };
    const [only] = items;
    if (only) return only;
    if (!parentheses) throw this.error(`Expected an expression, got ${describe(this.now)}`);
    return { kind: "tuple", items };
  }

  protected expression(conditional = true): Expr {
    let expr = this.or();
    while (conditional && this.skip("name", "if")) {
      const test = this.or();
      const no = this.skip("name", "else") ? this.expression() : undefined;
      expr = { kind: "cond", test, yes: expr, no };
    }
    return expr;
  }

  protected or(): Expr {
    let left = this.and();
    while (this.skip("name", "or")) left = { kind: "or", left, right: this.and() };
    return left;
  }

  protected and(): Expr {
    let left = this.not();
    while (this.skip("name", "and")) left = { kind: "and", left, right: this.not() };
    return left;
  }

  protected not(): Expr {
    return this.skip("name", "not") ? { kind: "not", value: this.not() } : this.compare();
  }

  protected compare(): Expr {
    const first = this.sum();
    const rest: (readonly [CompareOp, Expr])[] = [];
    for (;;) {
      const { type, value } = this.now;
      const op = type === "operator" ? COMPARISONS.find((one) => one === value) : undefined;
      if (op) {
        this.take();
        rest.push([op, this.sum()]);
      } else if (this.skip("name", "in")) rest.push(["in", this.sum()]);
      else if (this.isName("not") && this.nextIs("name", "in")) {
        this.at += 2;
        rest.push(["not in", this.sum()]);
      } else return rest.length === 0 ? first : { kind: "compare", first, rest };
    }
  }

  protected binary(ops: readonly BinaryOp[], operand: () => Expr): Expr {
    let left = operand();
    for (;;) {
      const op = this.now.type === "operator" ? ops.find((one) => one === this.now.value) : undefined;
      if (op === undefined) return left;
      this.take();
      left = { kind: "binary", op, left, right: operand() };
    }
  }

  protected sum(): Expr {
    return this.binary(["+", "-"], () => this.concat());
  }

  protected concat(): Expr {
    const first = this.product();
    if (!this.isOp("~")) return first;
    const items = [first];
    while (this.skip("operator", "~")) items.push(this.product());
    return { kind: "concat", items };
  }

  protected product(): Expr {
    return this.binary(["*", "/", "//", "%"], () => this.binary(["**"], () => this.unary()));
  }

  protected unary(withFilter = true): Expr {
    let expr: Expr;
    if (this.skip("operator", "-")) expr = { kind: "unary", op: "-", value: this.unary(false) };
    else if (this.skip("operator", "+")) expr = { kind: "unary", op: "+", value: this.unary(false) };
    else expr = this.primary();
    expr = this.postfix(expr);
    return withFilter ? this.filterExpr(expr) : expr;
  }

  protected primary(namespace = false): Expr {
    const token = this.take();
    const { value } = token;
    switch (token.type) {
      case "name":
        if (value === "true" || value === "True") return { kind: "const", value: true };
        if (value === "false" || value === "False") return { kind: "const", value: false };
        if (value === "none" || value === "None") return { kind: "const", value: null };
        if (namespace && this.skip("operator", ".")) {
          return { kind: "nsref", name: value, attr: this.expect("name").value };
        }
        return { kind: "name", name: value };
      case "string": {
        let text = value;
        while (this.is("string")) text += this.take().value;
        return { kind: "const", value: text };
      }
      case "integer":
        return { kind: "const", value: BigInt(value) };
      case "float":
        return { kind: "const", value: Number(value) };
      case "operator":
        if (value === "(") {
          const expr = this.tuple({ parentheses: true });
          this.expect("operator", ")");
          return expr;
        }
        if (value === "[") return { kind: "list", items: this.items("]", () => this.expression()) };
        if (value === "{") {
          const pair = (): readonly [Expr, Expr] => {
            const key = this.expression();
            this.expect("operator", ":");
            return [key, this.expression()];
          };
          return { kind: "dict", items: this.items("}", pair) };
        }
        break;
      default:
        break;
    }
    throw this.error(`unexpected ${describe(token)}`, token);
  }

  /** Items between commas, of which the last may be followed by one, up to a bracket that is taken. */
  protected items<T>(end: string, one: () => T): T[] {
    const items: T[] = [];
    while (!this.isOp(end)) {
      if (items.length > 0) this.expect("operator", ",");
      if (this.isOp(end)) break;
      items.push(one());
    }
    this.expect("operator", end);
    return items;
  }

  protected postfix(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.skip("operator", ".")) {
        const token = this.take();
        if (token.type === "name") expr = { kind: "attr", object: expr, name: token.value };
        else if (token.type === "integer") {
          expr = { kind: "item", object: expr, key: { kind: "const", value: BigInt(token.value) } };
        } else throw this.error("expected name or number", token);
      } else if (this.skip("operator", "[")) {
        const keys: Expr[] = [];
        while (!this.isOp("]")) {
          if (keys.length > 0) this.expect("operator", ",");
          keys.push(this.subscript());
        }
        this.take();
        const [only] = keys;
        expr = { kind: "item", object: expr, key: only && keys.length === 1 ? only : { kind: "tuple", items: keys } };
      } else if (this.isOp("(")) expr = { kind: "call", callee: expr, args: this.args() };
      else return expr;
    }
  }

  protected subscript(): Expr {
    let start: Expr | undefined;
    if (!this.isOp(":")) {
      start = this.expression();
      if (!this.isOp(":")) return start;
    }
    this.take();
    const part = (): Expr | undefined =>
      this.isOp(":") || this.isOp("]") || this.isOp(",") ? undefined : this.expression();
    const stop = part();
    const step = this.skip("operator", ":") ? part() : undefined;
    return { kind: "slice", start, stop, step };
  }

  protected filterExpr(start: Expr): Expr {
    let expr = start;
    for (;;) {
      if (this.isOp("|")) expr = this.filters(expr);
      else if (this.isName("is")) expr = this.test(expr);
      else if (this.isOp("(")) expr = { kind: "call", callee: expr, args: this.args() };
      else return expr;
    }
  }

  /** Filters on a value; without one, on what a block has rendered. */
  protected filters(value: Expr | undefined, startsInline = false): Expr {
    let expr = value;
    let inline = startsInline;
    while (this.isOp("|") || inline) {
      if (!inline) this.take();
      const name = this.dotted();
      expr = { kind: "filter", value: expr, name, args: this.isOp("(") ? this.args() : NO_ARGS };
      inline = false;
    }
    if (!expr) throw this.error("expected a filter");
    return expr;
  }

  protected dotted(): string {
    let name = this.expect("name").value;
    while (this.skip("operator", ".")) name += `.${this.expect("name").value}`;
    return name;
  }

  protected test(value: Expr): Expr {
    this.take();
    const negated = this.skip("name", "not");
    const name = this.dotted();
    let args = NO_ARGS;
    if (this.isOp("(")) args = this.args();
    else if (this.testTakesOperand()) {
      if (this.isName("is")) throw this.error("You cannot chain multiple tests with is");
      args = { ...NO_ARGS, positional: [this.postfix(this.primary())] };
    }
    const test: Expr = { kind: "test", value, name, args };
    return negated ? { kind: "not", value: test } : test;
  }

  protected testTakesOperand(): boolean {
    const { type, value } = this.now;
    if (type === "name") return value !== "else" && value !== "or" && value !== "and";
    return ["string", "integer", "float"].includes(type) || this.isOp("[") || this.isOp("{");
  }

  protected args(): CallArgs {
    const open = this.expect("operator", "(");
    const positional: Expr[] = [];
    const keywords: (readonly [string, Expr])[] = [];
    let star: Expr | undefined;
    let starStar: Expr | undefined;
    const ensure = (holds: boolean): void => {
      if (!holds) throw this.error("invalid syntax for function call expression", open);
    };
    let first = true;
    while (!this.isOp(")")) {
      if (!first) {
        this.expect("operator", ",");
        if (this.isOp(")")) break;
      }
      first = false;
      if (this.skip("operator", "*")) {
        ensure(!star && !starStar);
        star = this.expression();
      } else if (this.skip("operator", "**")) {
        ensure(!starStar);
        starStar = this.expression();
      } else if (this.is("name") && this.nextIs("operator", "=")) {
        ensure(!starStar);
        const name = this.take().value;
        this.take();
        keywords.push([name, this.expression()]);
      } else {
        ensure(!star && !starStar && keywords.length === 0);
        positional.push(this.expression());
      }
    }
    this.expect("operator", ")");
    return { positional, keywords, star, starStar };
  }
}

function describe({ type, value }: Token): string {
  if (type === "eof") return "end of template";
  if (type === "variable_end" || type === "block_end")
    return type === "block_end" ? "end of statement" : "end of print";
  return `'${value}'`;
}
