/** The tree of a template, after Jinja2's `nodes`. */
export type Expr =
  | { readonly kind: "const"; readonly value: null | boolean | bigint | number | string }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "nsref"; readonly name: string; readonly attr: string }
  | { readonly kind: "tuple" | "list"; readonly items: readonly Expr[] }
  | { readonly kind: "dict"; readonly items: readonly (readonly [Expr, Expr])[] }
  | { readonly kind: "cond"; readonly test: Expr; readonly yes: Expr; readonly no: Expr | undefined }
  | { readonly kind: "and" | "or"; readonly left: Expr; readonly right: Expr }
  | { readonly kind: "not"; readonly value: Expr }
  | { readonly kind: "unary"; readonly op: "-" | "+"; readonly value: Expr }
  | { readonly kind: "binary"; readonly op: BinaryOp; readonly left: Expr; readonly right: Expr }
  | { readonly kind: "concat"; readonly items: readonly Expr[] }
  | { readonly kind: "compare"; readonly first: Expr; readonly rest: readonly (readonly [CompareOp, Expr])[] }
  | { readonly kind: "attr"; readonly object: Expr; readonly name: string }
  | { readonly kind: "item"; readonly object: Expr; readonly key: Expr }
  | {
      readonly kind: "slice";
      readonly start: Expr | undefined;
      readonly stop: Expr | undefined;
      readonly step: Expr | undefined;
    }
  | { readonly kind: "call"; readonly callee: Expr; readonly args: CallArgs }
  | { readonly kind: "filter"; readonly value: Expr | undefined; readonly name: string; readonly args: CallArgs }
  | { readonly kind: "test"; readonly value: Expr; readonly name: string; readonly args: CallArgs };

export type BinaryOp = "+" | "-" | "*" | "/" | "//" | "%" | "**";
export type CompareOp = "==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "not in";
export type CallExpr = Extract<Expr, { readonly kind: "call" }>;

export interface CallArgs {
  readonly positional: readonly Expr[];
  readonly keywords: readonly (readonly [string, Expr])[];
  readonly star: Expr | undefined;
  readonly starStar: Expr | undefined;
}

/** Parameters of a macro or of a call block; the last ones may have defaults. */
export interface Signature {
  readonly names: readonly string[];
  readonly defaults: readonly Expr[];
}

export type Body = readonly Node[];

export type Node =
  | { readonly kind: "data"; readonly text: string }
  | { readonly kind: "output"; readonly value: Expr }
  | {
      readonly kind: "for";
      readonly target: Expr;
      readonly iterable: Expr;
      readonly test: Expr | undefined;
      readonly recursive: boolean;
      readonly body: Body;
      readonly otherwise: Body;
    }
  | {
      readonly kind: "if";
      readonly branches: readonly { readonly test: Expr; readonly body: Body }[];
      readonly otherwise: Body;
    }
  | { readonly kind: "set"; readonly target: Expr; readonly value: Expr }
  | { readonly kind: "setblock"; readonly target: Expr; readonly filter: Expr | undefined; readonly body: Body }
  | { readonly kind: "with"; readonly targets: readonly Expr[]; readonly values: readonly Expr[]; readonly body: Body }
  | { readonly kind: "scope"; readonly body: Body }
  /** One that is not `scoped` sees the template's own names alone, and none of the loops around it. */
  | { readonly kind: "block"; readonly scoped: boolean; readonly body: Body }
  | { readonly kind: "macro"; readonly name: string; readonly signature: Signature; readonly body: Body }
  | {
      readonly kind: "callblock";
      readonly call: CallExpr;
      readonly signature: Signature;
      readonly body: Body;
    }
  | { readonly kind: "filterblock"; readonly filter: Expr; readonly body: Body }
  | { readonly kind: "break" | "continue" };
