/**
 * Models write formulas as `\(…\)`, `\[…\]`, `$…$` and `$$…$$`; the parser reads `$$` alone. Everything becomes that, except
 * in code, so that a lone `$` stays a dollar sign. One pass over the text, whatever is in it.
 */
export function normaliseMath(text: string): string {
  const out: string[] = [];
  // What has been found not to close any more is not looked for again: a text of openers alone stays linear.
  const unclosed = new Set<string>();
  const closeOf = (closer: string, from: number): number => {
    if (unclosed.has(closer)) return -1;
    const at = text.indexOf(closer, from);
    if (at < 0) unclosed.add(closer);
    return at;
  };
  let plain = 0;
  let at = 0;
  const put = (from: number, to: number, replacement: string): void => {
    out.push(text.slice(plain, from), replacement);
    plain = to;
    at = to;
  };
  SPECIAL.lastIndex = 0;
  for (let match = SPECIAL.exec(text); match; match = SPECIAL.exec(text)) {
    const [sign] = match;
    at = match.index + sign.length;
    if (sign.startsWith("`") || sign.startsWith("~")) {
      // A run of backticks or tildes is code up to the same run, or, where a fence is not closed yet, to the end.
      const isFence = sign.length >= 3 && isLineStart(text, match.index);
      const close = sign.startsWith("~") && !isFence ? -1 : closeOfCode(sign, at, isFence, closeOf);
      if (close >= 0) at = close;
      else if (isFence) break;
    } else if (sign === "\\(" || sign === "\\[") {
      const isDisplay = sign === "\\[";
      const close = closeOf(isDisplay ? "\\]" : "\\)", at);
      const formula = close < 0 ? "" : text.slice(at, close);
      if (close >= 0 && isFormula(formula)) {
        put(match.index, close + 2, isDisplay ? display(text, match.index, formula) : `$$${formula.trim()}$$`);
      }
    } else if (sign === "$$") {
      const close = closeOf("$$", at);
      const formula = close < 0 ? "" : text.slice(at, close);
      // On lines of its own it is read as it stands; within a line two dollars mean a formula set apart all the same.
      if (close >= 0 && isFormula(formula)) put(match.index, close + 2, display(text, match.index, formula));
      else if (close >= 0) at = close + 2;
    } else if (sign === "$") {
      const close = closeOfDollar(text, at);
      if (close >= 0) put(match.index, close + 1, `$$${text.slice(at, close)}$$`);
    }
    SPECIAL.lastIndex = at;
  }
  out.push(text.slice(plain));
  return out.join("");
}

/** An escaped sign, a run of code marks, or an opener. */
const SPECIAL = /\\[([\\$`]|`+|~~~+|\$\$|\$/g;

/** A formula on one line is no longer than this: what looks for its end stops there. */
const MAX_DOLLAR = 400;

function isFormula(text: string): boolean {
  return text.trim() !== "" && !/\n\s*\n/.test(text);
}

/** As Pandoc reads a single dollar: no space inside it, no digit after it, all on one line; `$5 and $6` are prices. */
function closeOfDollar(text: string, from: number): number {
  if (/[\s$]/.test(text[from] ?? " ")) return -1;
  const most = Math.min(text.length, from + MAX_DOLLAR);
  for (let i = from; i < most; i++) {
    const sign = text[i];
    if (sign === "\\") i++;
    else if (sign === "\n" || sign === "`") return -1;
    else if (sign === "$") return /\s/.test(text[i - 1] ?? " ") || /[\d$]/.test(text[i + 1] ?? "") ? -1 : i;
  }
  return -1;
}

function closeOfCode(
  run: string,
  from: number,
  isFence: boolean,
  closeOf: (closer: string, from: number) => number,
): number {
  if (isFence) {
    const close = closeOf(`\n${run}`, from);
    return close < 0 ? -1 : close + 1 + run.length;
  }
  const close = closeOf(run, from);
  return close < 0 ? -1 : close + run.length;
}

function isLineStart(text: string, at: number): boolean {
  return /^\s*$/.test(text.slice(Math.max(text.lastIndexOf("\n", at - 1) + 1, at - MAX_INDENT), at));
}

const MAX_INDENT = 40;

/** A formula on lines of its own, inside the list item or quotation it stands in. */
function display(text: string, at: number, formula: string): string {
  const start = Math.max(text.lastIndexOf("\n", at - 1) + 1, at - MAX_INDENT);
  const before = text.slice(start, at);
  const lead = /^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+|>[ \t]?)*/.exec(before)?.[0] ?? "";
  const indent = lead.replaceAll(/[^>\s]/g, " ");
  const lines = [
    "$$",
    ...formula
      .trim()
      .split("\n")
      .map((line) => line.trim()),
    "$$",
  ];
  const body = lines.join(`\n${indent}`);
  // At the start of an item it can stand at once.
  return `${before === lead ? "" : `\n${indent}`}${body}\n${indent}`;
}
