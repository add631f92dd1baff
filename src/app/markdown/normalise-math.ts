import { addressEnd } from "./address-end.ts";
import { BARE_START, bareTex } from "./bare-tex.ts";
import { closeOfDollar } from "./dollars.ts";
import { Equations } from "./equations.ts";
import { Tables } from "./tables.ts";
import { BAR } from "./tex-source.ts";

/**
 * Models write formulas as `\(…\)`, `\[…\]`, `$…$`, `$$…$$`, or without any delimiters; the parser reads `$$` alone.
 * Everything becomes that, except in code, so that a lone `$` stays a dollar sign; and addresses that run into Japanese
 * get an end. One pass over the text, whatever is in it.
 */
export function normaliseMath(text: string): string {
  const out: string[] = [];
  const tables = new Tables(text);
  const equations = new Equations(text);
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
  const putFormula = (from: number, to: number, formula: string, isDisplay: boolean): void => {
    // A row of a table is one line, and its bars divide its cells.
    if (tables.has(from))
      put(
        from,
        to,
        `$$${formula
          .trim()
          .replaceAll(/\s*\n\s*/g, " ")
          .replaceAll(/\\?\|/g, BAR)}$$`,
      );
    else if (isDisplay) {
      // `$$x$$.`: a line of its own must not begin with a full stop, nor become a list.
      const after = text.slice(to, to + MAX_INDENT);
      const [stop = ""] = /^[.,;。，；](?=\s|$)/.exec(after) ?? [];
      const [gap = ""] = /^[ \t]*(?=[-+*>#](?:\s|$))/.exec(after.slice(stop.length)) ?? [];
      const isOperator = /^[-+*>#](?:\s|$)/.test(after.slice(stop.length + gap.length));
      put(from, to + stop.length + gap.length, `${display(text, from, formula + stop)}${isOperator ? "\\" : gap}`);
    } else put(from, to, `$$${formula.trim().replaceAll(/\s*\n[ \t>]*/g, " ")}$$`);
  };
  SPECIAL.lastIndex = 0;
  for (let match = SPECIAL.exec(text); match; match = SPECIAL.exec(text)) {
    const [sign] = match;
    const { index } = match;
    at = index + sign.length;
    if (sign.startsWith("`") || sign.startsWith("~")) {
      // A run of backticks or tildes is code up to the same run, or, where a fence is not closed yet, to the end.
      const isFence = sign.length >= 3 && isLineStart(text, index);
      const close = sign.startsWith("~") && !isFence ? -1 : closeOfCode(sign, at, isFence, closeOf);
      if (close >= 0 && !isFence && tables.has(index)) putCode(index, close);
      else if (close >= 0) at = close;
      else if (isFence) break;
    } else if (sign === "\\(" || sign === "\\[") {
      const isDisplay = sign === "\\[";
      const close = closeOf(isDisplay ? "\\]" : "\\)", at);
      const formula = close < 0 ? "" : text.slice(at, close);
      if (close >= 0 && (isFormula(formula) || (isDisplay && isSpaced(formula)))) {
        putFormula(index, close + 2, formula, isDisplay);
      }
    } else if (sign === "$$") {
      const close = closeOf("$$", at);
      const formula = close < 0 ? "" : text.slice(at, close);
      const isAlone = isDisplayLine(text, index) && isDisplayLine(text, close);
      // On lines of its own it is read as it stands; within a line two dollars mean a formula set apart all the same.
      if (close >= 0 && (isFormula(formula) || (isAlone && isSpaced(formula))))
        putFormula(index, close + 2, formula, true);
      else {
        // What stands behind the dollars where a line begins is lost to the parser.
        if (isBlockStart(text, index) && /[^\s$]/.test(restOfLine(text, at))) put(index, at, "\\$\\$");
        if (close >= 0) at = close + 2;
      }
    } else if (sign === "$") {
      const close = closeOfDollar(text, at);
      if (close >= 0) putFormula(index, close + 1, text.slice(at, close), false);
    } else if (sign === "*") {
      if (equations.has(index)) put(index, at, "\\*");
    } else if (/^[hw]/i.test(sign)) putAddress(index, sign);
    else if (BARE.test(sign)) {
      const bare = bareTex(text, index);
      if (bare) putFormula(index, bare.end, withoutDollars(text.slice(index, bare.end)), bare.isDisplay);
      else if (text[at] === "{") {
        // It has no end yet: until then nothing within it is set.
        const line = text.indexOf("\n", at);
        at = line < 0 ? text.length : line;
      }
    }
    SPECIAL.lastIndex = at;
  }
  out.push(text.slice(plain));
  return out.join("");

  /** Bars within code divide no cells either. */
  function putCode(from: number, to: number): void {
    put(from, to, text.slice(from, to).replaceAll(/\\?\|/g, "\\|"));
  }

  /** An address with other writing after it, or in it, gets brackets; all others the parser ends as it should. */
  function putAddress(from: number, scheme: string): void {
    const before = text.slice(Math.max(0, from - 2), from);
    const to = addressEnd(text, from);
    at = Math.max(at, to);
    if (to <= from + scheme.length || /[A-Za-z0-9/.@_<["'=]$|\]\($/.test(before) || isIndented(text, from)) return;
    const address = text.slice(from, to);
    const [after = ""] = /^[^\s<]*/.exec(text.slice(to, to + MAX_AFTER)) ?? [];
    if (!/[^\0-\x7f]/.test(address + after)) return;
    put(from, to, /^w/i.test(scheme) ? `[${address}](<http://${address}>)` : `<${address}>`);
  }
}

/** Han and kana, as far as they are one unit each. */
const EAST = "[\u3040-\u30ff\u3400-\u9fff]";

/** An escaped sign, a run of code marks, an opener, TeX without one, or an address. */
const SPECIAL = new RegExp(
  String.raw`\\[([\\$\`]|\`+|~~~+|\$\$|\$|(?<=${EAST})\*(?=[^\s*])|${BARE_START}|https?:\/\/|www\.`,
  "gi",
);
const BARE = new RegExp(`^${BARE_START}`);

/** As much of what stands after an address is looked at. */
const MAX_AFTER = 100;

/** A formula with blank lines in it is no longer than this: beyond it a bracket was left open. */
const MAX_SPACED = 4000;

function isFormula(text: string): boolean {
  return text.trim() !== "" && !/\n\s*\n/.test(text);
}

/** Models leave lines free within a formula; no other one begins there. */
function isSpaced(text: string): boolean {
  return text.trim() !== "" && text.length <= MAX_SPACED && !/\\[[(]|\$/.test(text.replaceAll("\\\\", ""));
}

/** Whether the `$$` there stands on a line of its own. */
function isDisplayLine(text: string, at: number): boolean {
  return isLineStart(text, at) && /^\$\$[ \t]*(?:\n|$)/.test(text.slice(at, at + MAX_INDENT));
}

function isIndented(text: string, at: number): boolean {
  return /^(?: {4}|\t)[ \t]*$/.test(lineBefore(text, at));
}

/** `\boxed{$24}`: a dollar sign in it can be no delimiter. */
function withoutDollars(formula: string): string {
  const count = formula.match(/(?<!\\)\$/g)?.length ?? 0;
  return count === 0 ? formula : formula.replaceAll(/(?<!\\)\$/g, count % 2 === 0 ? "" : "\\$$");
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
  return lineBefore(text, at).trim() === "";
}

const MAX_INDENT = 40;
const MAX_DOLLARS_LINE = 400;

/** The line up to a place, or the last of it: a line may be all of a long text. */
function lineBefore(text: string, at: number): string {
  const near = text.slice(Math.max(0, at - MAX_INDENT), at);
  return near.slice(near.lastIndexOf("\n") + 1);
}

/** The markers of the lists and quotations that a line begins with. */
const LEAD = /^[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+|>[ \t]?)*/;

function isBlockStart(text: string, at: number): boolean {
  const before = lineBefore(text, at);
  return LEAD.exec(before)?.[0] === before;
}

function restOfLine(text: string, from: number): string {
  const end = text.indexOf("\n", from);
  return text.slice(from, Math.min(end < 0 ? text.length : end, from + MAX_DOLLARS_LINE));
}

/** A formula on lines of its own, inside the list item or quotation it stands in. */
function display(text: string, at: number, formula: string): string {
  const before = lineBefore(text, at);
  const lead = LEAD.exec(before)?.[0] ?? "";
  const indent = lead.replaceAll(/[^>\s]/g, " ");
  const lines = [
    "$$",
    ...formula
      .trim()
      .split("\n")
      .map((line) => (lead.includes(">") ? line.replace(/^[ \t]*(?:>[ \t]*)+/, "") : line).trim())
      .filter((line) => line !== ""),
    "$$",
  ];
  const body = lines.join(`\n${indent}`);
  // At the start of an item it can stand at once.
  return `${before === lead ? "" : `\n${indent}`}${body}\n${indent}`;
}
