/** Steps that Page Up and Page Down move by. */
const PAGE = 10;

/** Where a key leads from a step, as in a native slider; undefined for a key that does not move. */
export function stepKeys(key: string, step: number, first: number, last: number): number | undefined {
  const to = targetOf(key, step, first, last);
  return to === undefined ? undefined : Math.max(first, Math.min(last, to));
}

function targetOf(key: string, step: number, first: number, last: number): number | undefined {
  switch (key) {
    case "ArrowRight":
    case "ArrowUp":
      return step + 1;
    case "ArrowLeft":
    case "ArrowDown":
      return step - 1;
    case "PageUp":
      return step + PAGE;
    case "PageDown":
      return step - PAGE;
    case "Home":
      return first;
    case "End":
      return last;
    default:
      return undefined;
  }
}
