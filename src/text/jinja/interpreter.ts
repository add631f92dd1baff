import type { Body, CallArgs, CallExpr, Expr, Node, Signature } from "./ast.ts";
import { attributeOf, call, itemOf, Slice } from "./attributes.ts";
import { TemplateError, typeError, valueError } from "./error.ts";
import { FILTERS } from "./filters.ts";
import { escapeHtml } from "./html-filters.ts";
import { Loop } from "./loop.ts";
import { MacroValue } from "./macro.ts";
import { namesIn } from "./names.ts";
import { checkedItems, holds, times, unsupported } from "./operators.ts";
import { percent } from "./format.ts";
import { arithmetic, negated, unchanged } from "./numbers.ts";
import { str } from "./repr.ts";
import { Scope } from "./scope.ts";
import type { FilterHost } from "./sequence-filters.ts";
import { isSafe, isText, join, plain } from "./text.ts";
import type { Text } from "./text.ts";
import { TESTS } from "./tests.ts";
import {
  Dict,
  isInt,
  isNumber,
  iterate,
  List,
  listOf,
  Namespace,
  orElse,
  truthy,
  Tuple,
  typeName,
  Undefined,
} from "./values.ts";
import type { Callable, Kwargs, Value } from "./values.ts";

const NO_KWARGS: Kwargs = new Map();

/** What a statement leaves behind: whether the loop around it goes on. */
type Flow = "next" | "break" | "continue";

/**
 * Runs a parsed template.
 * @param globals names that the template knows from the beginning
 * @returns the text, in which the parts that came from marked strings are marked
 * @throws TemplateError
 */
export function render(body: Body, globals: ReadonlyMap<string, Value>): Text {
  const root = new Scope();
  for (const [name, value] of globals) root.set(name, value);
  const top = new Scope(root);
  return new Interpreter(top).text(body, top);
}

class Interpreter implements FilterHost {
  /** The template's own names. */
  readonly #top: Scope;

  constructor(top: Scope) {
    this.#top = top;
  }

  /** What a body prints. */
  text(body: Body, scope: Scope): Text {
    const out: Text[] = [];
    this.#run(body, scope, out);
    return join(out);
  }

  filter(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): Value {
    const filter = FILTERS.get(name);
    if (!filter) throw new TemplateError(`No filter named '${name}'.`);
    return filter(value, args, kwargs, this);
  }

  test(name: string, value: Value, args: readonly Value[], kwargs: Kwargs): boolean {
    if (name === "filter" || name === "test") {
      return isText(value) && (name === "filter" ? FILTERS.has(plain(value)) : isTest(plain(value)));
    }
    const test = TESTS.get(name);
    if (!test) throw new TemplateError(`No test named '${name}'.`);
    return test(value, args, kwargs);
  }

  /** Python's `+`. */
  add(a: Value, b: Value): Value {
    if (isText(a) && isText(b)) {
      // HTML takes in other text only escaped.
      if (isSafe(a) || isSafe(b)) return join([escapeHtml(a), escapeHtml(b)], true);
      return join([a, b]);
    }
    if (isNumber(a) && isNumber(b)) return arithmetic("+", a, b);
    if (a instanceof List && b instanceof List) return new List(checkedItems([...a.items], b.items));
    if (a instanceof Tuple && b instanceof Tuple) return new Tuple(checkedItems([...a.items], b.items));
    throw unsupported("+", a, b);
  }

  #run(body: Body, scope: Scope, out: Text[]): Flow {
    for (const node of body) {
      const flow = this.#statement(node, scope, out);
      if (flow !== "next") return flow;
    }
    return "next";
  }

  #statement(node: Node, scope: Scope, out: Text[]): Flow {
    switch (node.kind) {
      case "data":
        out.push(node.text);
        return "next";
      case "output":
        out.push(str(this.#value(node.value, scope)));
        return "next";
      case "if": {
        for (const { test, body } of node.branches) {
          if (truthy(this.#value(test, scope))) return this.#run(body, scope, out);
        }
        return this.#run(node.otherwise, scope, out);
      }
      case "for":
        this.#for(node, this.#value(node.iterable, scope), scope, out, 0);
        return "next";
      case "set":
        this.#assign(node.target, this.#value(node.value, scope), scope);
        return "next";
      case "setblock": {
        const text = this.text(node.body, new Scope(scope));
        this.#assign(node.target, node.filter ? this.#filtered(node.filter, text, scope) : text, scope);
        return "next";
      }
      case "with": {
        const inner = new Scope(scope);
        const values = node.values.map((value) => this.#value(value, scope));
        for (const [i, target] of node.targets.entries()) this.#assign(target, values[i] ?? null, inner);
        return this.#run(node.body, inner, out);
      }
      case "scope":
        return this.#run(node.body, new Scope(scope), out);
      case "block":
        return this.#run(node.body, new Scope(node.scoped ? scope : this.#top), out);
      case "macro":
        scope.set(node.name, this.#macro(node.name, node.signature, node.body, scope));
        return "next";
      case "callblock": {
        const caller = this.#macro("caller", node.signature, node.body, scope);
        out.push(str(this.#call(node.call, scope, caller)));
        return "next";
      }
      case "filterblock":
        out.push(str(this.#filtered(node.filter, this.text(node.body, new Scope(scope)), scope)));
        return "next";
      default:
        return node.kind;
    }
  }

  #for(node: Extract<Node, { kind: "for" }>, value: Value, scope: Scope, out: Text[], depth: number): void {
    const recurse = (again: Value): Text => {
      const inner: Text[] = [];
      this.#for(node, again, scope, inner, depth + 1);
      return join(inner);
    };
    const iterable = node.test ? this.#kept(node.target, node.test, value, scope) : value;
    const loop = new Loop(iterable, depth, node.recursive ? recurse : undefined);
    for (let item = loop.next(); item !== undefined; item = loop.next()) {
      const inner = new Scope(scope);
      inner.set("loop", loop);
      this.#assign(node.target, item, inner);
      if (this.#run(node.body, inner, out) === "break") break;
    }
    if (loop.isEmpty) this.#run(node.otherwise, new Scope(scope), out);
  }

  /** The items for which a loop's condition holds, each looked at when its turn comes. */
  #kept(target: Expr, test: Expr, value: Value, scope: Scope): Iterable<Value> {
    const items = iterate(value);
    const isKept = (item: Value): boolean => {
      const inner = new Scope(scope);
      inner.set("loop", new Undefined("'loop' is undefined. the filter section of a loop cannot use it"));
      this.#assign(target, item, inner);
      return truthy(this.#value(test, inner));
    };
    return (function* (): Generator<Value> {
      for (const item of items) if (isKept(item)) yield item;
    })();
  }

  #assign(target: Expr, value: Value, scope: Scope): void {
    if (target.kind === "name") scope.set(target.name, value);
    else if (target.kind === "nsref") {
      const namespace = scope.get(target.name);
      if (!(namespace instanceof Namespace)) {
        throw new TemplateError("cannot assign attribute on non-namespace object");
      }
      namespace.dict.set(target.attr, value);
    } else if (target.kind === "tuple") {
      if (value instanceof Undefined) throw valueError("not enough values to unpack");
      const items = listOf(value);
      if (items.length !== target.items.length) {
        throw valueError(
          items.length < target.items.length
            ? `not enough values to unpack (expected ${target.items.length}, got ${items.length})`
            : `too many values to unpack (expected ${target.items.length})`,
        );
      }
      for (const [i, one] of target.items.entries()) this.#assign(one, items[i] ?? null, scope);
    }
  }

  #macro(name: string, { names, defaults }: Signature, body: Body, scope: Scope): Callable {
    const used = new Set<string>();
    namesIn(body, used);
    for (const expr of defaults) namesIn(expr, used);
    const takesCaller = used.has("caller") && !names.includes("caller");
    const run = (args: readonly Value[], kwargs: Kwargs): Value => {
      const inner = new Scope(scope);
      const rest = new Map(kwargs);
      const given = names.map((parameter, i) => {
        if (i < args.length) return args[i];
        const value = rest.get(parameter);
        rest.delete(parameter);
        return value;
      });
      if (takesCaller) {
        inner.set(
          "caller",
          orElse(rest.get("caller"), () => new Undefined("No caller defined")),
        );
        rest.delete("caller");
      }
      if (used.has("kwargs")) inner.set("kwargs", new Dict(rest));
      else if (rest.size > 0) {
        throw typeError(`macro '${name}' takes no keyword argument '${[...rest.keys()][0] ?? ""}'`);
      }
      if (used.has("varargs")) inner.set("varargs", new Tuple(args.slice(names.length)));
      else if (args.length > names.length) {
        throw typeError(`macro '${name}' takes not more than ${names.length} argument(s)`);
      }
      for (const [i, parameter] of names.entries()) {
        const standard = defaults[i - (names.length - defaults.length)];
        const own = given[i];
        const value = own === undefined && standard ? this.#value(standard, inner) : own;
        inner.set(parameter, value === undefined ? new Undefined(`parameter '${parameter}' was not provided`) : value);
      }
      return this.text(body, inner);
    };
    return new MacroValue(name, run, {
      name,
      arguments: new Tuple([...names]),
      catch_kwargs: used.has("kwargs"),
      catch_varargs: used.has("varargs"),
      caller: used.has("caller"),
    });
  }

  #call({ callee, args }: CallExpr, scope: Scope, caller?: Callable): Value {
    const target = this.#value(callee, scope);
    const { positional, kwargs } = this.#args(args, scope);
    return call(target, positional, caller ? new Map([...kwargs, ["caller", caller]]) : kwargs);
  }

  #args({ positional, keywords, star, starStar }: CallArgs, scope: Scope) {
    const values = positional.map((expr) => this.#value(expr, scope));
    if (star) values.push(...listOf(this.#value(star, scope)));
    if (keywords.length === 0 && !starStar) return { positional: values, kwargs: NO_KWARGS };
    const kwargs = new Map(keywords.map(([name, expr]) => [name, this.#value(expr, scope)] as const));
    if (starStar) {
      const more = this.#value(starStar, scope);
      if (!(more instanceof Dict)) throw typeError(`argument after ** must be a mapping, not ${typeName(more)}`);
      for (const [key, value] of more.entries()) {
        if (!isText(key)) throw typeError("keywords must be strings");
        if (kwargs.has(plain(key))) throw typeError(`got multiple values for keyword argument '${plain(key)}'`);
        kwargs.set(plain(key), value);
      }
    }
    return { positional: values, kwargs };
  }

  /** Applies filters to what a block has rendered. */
  #filtered(filter: Expr, text: Text, scope: Scope): Value {
    if (filter.kind !== "filter") throw new TemplateError("expected a filter");
    const value = filter.value ? this.#filtered(filter.value, text, scope) : text;
    const { positional, kwargs } = this.#args(filter.args, scope);
    return this.filter(filter.name, value, positional, kwargs);
  }

  #value(expr: Expr, scope: Scope): Value {
    switch (expr.kind) {
      case "const":
        return expr.value;
      case "name":
        return orElse(scope.get(expr.name), () => new Undefined(`'${expr.name}' is undefined`));
      case "tuple":
        return new Tuple(expr.items.map((item) => this.#value(item, scope)));
      case "list":
        return new List(expr.items.map((item) => this.#value(item, scope)));
      case "dict":
        return new Dict(expr.items.map(([key, value]) => [this.#value(key, scope), this.#value(value, scope)]));
      case "cond":
        if (truthy(this.#value(expr.test, scope))) return this.#value(expr.yes, scope);
        if (expr.no) return this.#value(expr.no, scope);
        return new Undefined("the inline if-expression evaluated to false and no else section was defined.");
      case "and": {
        const left = this.#value(expr.left, scope);
        return truthy(left) ? this.#value(expr.right, scope) : left;
      }
      case "or": {
        const left = this.#value(expr.left, scope);
        return truthy(left) ? left : this.#value(expr.right, scope);
      }
      case "not":
        return !truthy(this.#value(expr.value, scope));
      case "unary": {
        const value = this.#value(expr.value, scope);
        if (value instanceof Undefined) throw value.fail();
        return expr.op === "-" ? negated(value) : unchanged(value);
      }
      case "binary":
        return this.#binary(expr.op, this.#value(expr.left, scope), this.#value(expr.right, scope));
      case "concat":
        return join(expr.items.map((item) => str(this.#value(item, scope))));
      case "compare": {
        let left = this.#value(expr.first, scope);
        for (const [op, right] of expr.rest) {
          const value = this.#value(right, scope);
          if (!holds(op, left, value)) return false;
          left = value;
        }
        return true;
      }
      case "attr":
        return attributeOf(this.#value(expr.object, scope), expr.name);
      case "item":
        return itemOf(this.#value(expr.object, scope), this.#value(expr.key, scope));
      case "slice": {
        const bound = (part: Expr | undefined): Value => (part ? this.#value(part, scope) : null);
        return new Slice(bound(expr.start), bound(expr.stop), bound(expr.step));
      }
      case "call":
        return this.#call(expr, scope);
      case "filter": {
        if (!expr.value) throw new TemplateError("a filter without a value");
        const value = this.#value(expr.value, scope);
        const { positional, kwargs } = this.#args(expr.args, scope);
        return this.filter(expr.name, value, positional, kwargs);
      }
      case "test": {
        const value = this.#value(expr.value, scope);
        const { positional, kwargs } = this.#args(expr.args, scope);
        return this.test(expr.name, value, positional, kwargs);
      }
      case "nsref":
        throw new TemplateError("a namespace attribute stands where a value should");
    }
  }

  #binary(op: string, a: Value, b: Value): Value {
    if (a instanceof Undefined) throw a.fail();
    if (b instanceof Undefined && !(op === "%" && isText(a))) throw b.fail();
    if (op === "+") return this.add(a, b);
    if (op === "%" && isText(a)) return percent(a, b);
    if (isNumber(a) && isNumber(b)) return arithmetic(op, a, b);
    if (op === "*") {
      if (isInt(b)) return times(a, b);
      if (isInt(a)) return times(b, a);
    }
    throw unsupported(op, a, b);
  }
}

function isTest(name: string): boolean {
  return TESTS.has(name) || name === "filter" || name === "test";
}
