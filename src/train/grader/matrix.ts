import { MAX_MATRIX_NODES } from "./limits.ts";
import { apply, mapChildren, some } from "./node.ts";
import type { MatrixNode, Node } from "./node.ts";

type Combine = (a: Node, b: Node) => Node | undefined;

function isMatrix(node: Node): node is MatrixNode {
  return node.kind === "matrix";
}

function matrix(rows: readonly (readonly Node[])[]): MatrixNode {
  return { kind: "matrix", rows };
}

function entrywise(a: MatrixNode, change: (entry: Node) => Node): MatrixNode {
  return matrix(a.rows.map((row) => row.map(change)));
}

const add: Combine = (a, b) => {
  if (!isMatrix(a) || !isMatrix(b)) return isMatrix(a) || isMatrix(b) ? undefined : apply("add", a, b);
  const sameShape = a.rows.length === b.rows.length && a.rows[0]?.length === b.rows[0]?.length;
  if (!sameShape) return undefined;
  return matrix(
    a.rows.map((row, i) =>
      row.map((entry, j) => {
        const other = b.rows[i]?.[j];
        return other ? apply("add", entry, other) : entry;
      }),
    ),
  );
};

const multiply: Combine = (a, b) => {
  if (!isMatrix(a)) return isMatrix(b) ? entrywise(b, (entry) => apply("multiply", a, entry)) : apply("multiply", a, b);
  if (!isMatrix(b)) return entrywise(a, (entry) => apply("multiply", entry, b));
  if (a.rows[0]?.length !== b.rows.length) return undefined;
  const columns = b.rows[0]?.map((_, column) => b.rows.flatMap((row) => row.slice(column, column + 1))) ?? [];
  return matrix(
    a.rows.map((row) =>
      columns.map((column) =>
        apply(
          "add",
          ...row.flatMap((entry, i) => column.slice(i, i + 1).map((other) => apply("multiply", entry, other))),
        ),
      ),
    ),
  );
};

const divide: Combine = (a, b) => {
  if (isMatrix(b)) return undefined;
  return isMatrix(a) ? entrywise(a, (entry) => apply("divide", entry, b)) : undefined;
};

const COMBINE: Readonly<Record<string, Combine>> = { add, multiply, divide };

/** Entries of a product hold both factors' entries, so that their sizes multiply. */
function isSmall(node: Node): boolean {
  let nodes = 0;
  return !some(node, () => ++nodes > MAX_MATRIX_NODES);
}

/** By the first row; matrices of answers are small. */
function determinant(rows: readonly (readonly Node[])[]): Node | undefined {
  const [first, ...rest] = rows;
  if (!first || rows.length > 4 || rows.some((row) => row.length !== rows.length)) return undefined;
  if (rest.length === 0) return first[0];
  const terms = first.map((entry, column) => {
    const minor = determinant(rest.map((row) => row.toSpliced(column, 1)));
    const term = minor && apply("multiply", entry, minor);
    return term && (column % 2 === 0 ? term : apply("negate", term));
  });
  const known = terms.filter((term) => term !== undefined);
  return known.length === terms.length ? apply("add", ...known) : undefined;
}

/** Works out sums, products and multiples of matrices; leaves alone what is not defined. */
export function reduceMatrices(node: Node): Node {
  const reduced = mapChildren(node, reduceMatrices);
  if (reduced.kind !== "apply" || !reduced.args.some(isMatrix)) return reduced;
  const [first, ...rest] = reduced.args;
  if (!first) return reduced;
  if (reduced.op === "det" && isMatrix(first)) return determinant(first.rows) ?? reduced;
  if (reduced.op === "negate" && isMatrix(first)) return entrywise(first, (entry) => apply("negate", entry));
  const combine = Object.hasOwn(COMBINE, reduced.op) ? COMBINE[reduced.op] : undefined;
  if (!combine) return reduced;
  let result: Node | undefined = first;
  for (const next of rest) {
    result = result && combine(result, next);
    if (!result || !isSmall(result)) return reduced;
  }
  return result;
}
