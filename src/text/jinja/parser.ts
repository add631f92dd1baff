import type { Body, Expr, Node, Signature } from "./ast.ts";
import { ExpressionParser } from "./expressions.ts";
import { tokenize } from "./lexer.ts";

/** Statements that other templates are needed for: transformers renders a template without any loader. */
const LOADING: ReadonlySet<string> = new Set(["include", "import", "from", "extends"]);

/**
 * Parses a template as Jinja2 does, with the extensions of transformers (`break`, `continue`, `generation`).
 * @throws TemplateError naming the line
 */
export function parse(template: string): Body {
  return new Parser(tokenize(template)).parse();
}

class Parser extends ExpressionParser {
  #loops = 0;
  readonly #blocks = new Set<string>();

  parse(): Body {
    return this.body([]);
  }

  /** Nodes up to one of the tags given, which is left; to the end where none is given. */
  protected body(ends: readonly string[]): Body {
    const body: Node[] = [];
    for (;;) {
      const token = this.take();
      if (token.type === "eof") {
        if (ends.length === 0) return body;
        throw this.error(`Unexpected end of template. Jinja was looking for the following tags: ${ends.join(", ")}.`);
      }
      if (token.type === "data") body.push({ kind: "data", text: token.value });
      else if (token.type === "variable_begin") {
        body.push({ kind: "output", value: this.tuple() });
        this.expect("variable_end");
      } else {
        const tag = this.now;
        if (tag.type === "name" && ends.includes(tag.value)) return body;
        body.push(...this.statement());
        this.expect("block_end");
      }
    }
  }

  /** The body of a statement: from the end of its tag up to one of the tags given, whose name is taken. */
  protected statements(...ends: readonly string[]): { readonly body: Body; readonly end: string } {
    this.skip("operator", ":");
    this.expect("block_end");
    const body = this.body(ends);
    return { body, end: this.take().value };
  }

  protected statement(): readonly Node[] {
    const tag = this.take();
    if (tag.type !== "name") throw this.error("tag name expected", tag);
    switch (tag.value) {
      case "for":
        return [this.for()];
      case "if":
        return [this.if()];
      case "set":
        return [this.set()];
      case "with":
        return [this.with()];
      case "macro": {
        const name = this.expect("name").value;
        const signature = this.signature();
        return [{ kind: "macro", name, signature, body: this.alone("endmacro") }];
      }
      case "call":
        return [this.callBlock()];
      case "filter":
        return [{ kind: "filterblock", filter: this.filters(undefined, true), body: this.nested("endfilter") }];
      case "print": {
        const nodes: Node[] = [];
        while (!this.is("block_end")) {
          if (nodes.length > 0) this.expect("operator", ",");
          nodes.push({ kind: "output", value: this.expression() });
        }
        return nodes;
      }
      case "block": {
        const name = this.expect("name").value;
        if (this.#blocks.has(name)) throw this.error(`block '${name}' defined twice`, tag);
        this.#blocks.add(name);
        const scoped = this.skip("name", "scoped");
        this.skip("name", "required");
        const body = this.alone("endblock");
        this.skip("name", name);
        return [{ kind: "block", scoped, body }];
      }
      case "autoescape": {
        const on = this.expression();
        if (on.kind !== "const" || on.value !== false) {
          throw this.error("'autoescape' is supported with false alone: a chat template writes text and no HTML", tag);
        }
        return [{ kind: "scope", body: this.nested("endautoescape") }];
      }
      case "generation":
        return [{ kind: "scope", body: this.alone("endgeneration") }];
      case "break":
      case "continue":
        if (this.#loops === 0) throw this.error(`'${tag.value}' outside loop`, tag);
        return [{ kind: tag.value }];
    }
    if (LOADING.has(tag.value)) {
      throw this.error(`'${tag.value}' needs other templates, and a chat template has none`, tag);
    }
    throw this.error(`Encountered unknown tag '${tag.value}'.`, tag);
  }

  protected nested(end: string): Body {
    return this.statements(end).body;
  }

  /** A body that is a function of its own: a loop around it is not its loop. */
  protected alone(end: string): Body {
    const loops = this.#loops;
    this.#loops = 0;
    const body = this.nested(end);
    this.#loops = loops;
    return body;
  }

  protected for(): Node {
    const target = this.target({ end: "in" });
    this.expect("name", "in");
    const iterable = this.tuple({ conditional: false, end: "recursive" });
    const test = this.skip("name", "if") ? this.expression() : undefined;
    const recursive = this.skip("name", "recursive");
    this.#loops++;
    const { body, end } = this.statements("endfor", "else");
    this.#loops--;
    const otherwise = end === "else" ? this.nested("endfor") : [];
    return { kind: "for", target, iterable, test, recursive, body, otherwise };
  }

  protected if(): Node {
    const branches: { test: Expr; body: Body }[] = [];
    for (;;) {
      const test = this.tuple({ conditional: false });
      const { body, end } = this.statements("elif", "else", "endif");
      branches.push({ test, body });
      if (end === "elif") continue;
      return { kind: "if", branches, otherwise: end === "else" ? this.nested("endif") : [] };
    }
  }

  protected set(): Node {
    const target = this.target({ namespace: true });
    if (this.skip("operator", "=")) return { kind: "set", target, value: this.tuple() };
    const filter = this.isOp("|") ? this.filters(undefined) : undefined;
    return { kind: "setblock", target, filter, body: this.nested("endset") };
  }

  protected with(): Node {
    const targets: Expr[] = [];
    const values: Expr[] = [];
    while (!this.is("block_end")) {
      if (targets.length > 0) this.expect("operator", ",");
      targets.push(this.target());
      this.expect("operator", "=");
      values.push(this.expression());
    }
    return { kind: "with", targets, values, body: this.nested("endwith") };
  }

  protected callBlock(): Node {
    const signature = this.isOp("(") ? this.signature() : { names: [], defaults: [] };
    const call = this.expression();
    if (call.kind !== "call") throw this.error("expected call");
    return { kind: "callblock", call, signature, body: this.alone("endcall") };
  }

  protected signature(): Signature {
    const names: string[] = [];
    const defaults: Expr[] = [];
    this.expect("operator", "(");
    while (!this.isOp(")")) {
      if (names.length > 0) this.expect("operator", ",");
      names.push(this.expect("name").value);
      if (this.skip("operator", "=")) defaults.push(this.expression());
      else if (defaults.length > 0) throw this.error("non-default argument follows default argument");
    }
    this.expect("operator", ")");
    return { names, defaults };
  }
}
