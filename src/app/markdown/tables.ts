const DELIMITER = /^[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Whether a line is the one below a table's head. */
export function isDelimiterRow(before: string, line: string): boolean {
  return before.includes("|") && line.includes("|") && DELIMITER.test(line);
}

/** Where a text's tables are: places within a row, in the text's order. */
export class Tables {
  readonly #ranges: readonly (readonly [number, number])[];
  #next = 0;

  constructor(text: string) {
    const ranges: [number, number][] = [];
    let start = 0;
    let before = -1;
    let isIn = false;
    // Lines without a bar cannot belong to one.
    for (const line of text.includes("|") ? text.split("\n") : []) {
      const hasBar = line.includes("|");
      if (isIn && line.trim() === "") isIn = false;
      else if (!isIn && hasBar && before >= 0 && DELIMITER.test(line)) {
        isIn = true;
        ranges.push([before, start + line.length]);
      } else if (isIn) ranges.push([start, start + line.length]);
      before = hasBar ? start : -1;
      start += line.length + 1;
    }
    this.#ranges = ranges;
  }

  /** Whether a place is within a table; asked from the text's beginning to its end. */
  has(at: number): boolean {
    while ((this.#ranges[this.#next]?.[1] ?? Infinity) < at) this.#next++;
    return (this.#ranges[this.#next]?.[0] ?? Infinity) <= at;
  }
}
