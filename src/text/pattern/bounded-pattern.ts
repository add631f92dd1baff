import { compilePattern } from "./program.ts";
import type { Step } from "./program.ts";

/** Steps that one text may take: more than any pattern in good faith needs, and less than a second or two. */
const STEPS_PER_TEXT = 20_000_000;
const STEPS_PER_UNIT = 200;
/** A step of what is looked for ahead or behind counts more: each place begins anew, and remembers its own. */
const LOOKING = 8;

/** A match: the text at 0, and where it begins. */
type Match = [string] & { index: number };

/**
 * A regular expression for patterns that come with a checkpoint. JavaScript's own tries every way to match, of which
 * `(a+)+$` has more than there is time for, and nothing can stop it. Here a place of the text is tried once for each step
 * of the pattern, and the steps are counted. It can stand where strings take an expression with the flags `gu`.
 */
export class BoundedPattern {
  readonly flags = "gu";
  readonly source: string;
  readonly #program: readonly Step[];

  /** @throws UnsupportedPattern */
  constructor(source: string) {
    this.source = source;
    this.#program = compilePattern(source);
  }

  /** @throws Error where the text takes too many steps */
  *[Symbol.matchAll](text: string): Generator<Match> {
    const run = new Run(text);
    let from = 0;
    while (from <= text.length) {
      const found = run.find(this.#program, from);
      if (!found) return;
      const [start, end] = found;
      yield Object.assign<[string], { index: number }>([text.slice(start, end)], { index: start });
      from = end > start ? end : end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
    }
  }

  [Symbol.match](text: string): string[] | null {
    const found = Array.from(this[Symbol.matchAll](text), ([match]) => match);
    return found.length === 0 ? null : found;
  }

  [Symbol.split](text: string): string[] {
    if (text === "" && this[Symbol.match](text)) return [];
    const parts: string[] = [];
    let at = 0;
    for (const { 0: match, index } of this[Symbol.matchAll](text)) {
      if (match === "" && (index === at || index >= text.length)) continue;
      parts.push(text.slice(at, index));
      at = index + match.length;
    }
    parts.push(text.slice(at));
    return parts;
  }

  /** The replacement is taken as it is, as the tokenizers library in Rust takes it. */
  [Symbol.replace](text: string, by: string): string {
    let out = "";
    let at = 0;
    for (const { 0: match, index } of this[Symbol.matchAll](text)) {
      out += text.slice(at, index) + by;
      at = index + match.length;
    }
    return out + text.slice(at);
  }
}

class Run {
  readonly #text: string;
  /** Where each look ahead has led nowhere: it does so from wherever it is looked from. */
  readonly #ahead = new Map<Step, Set<number>>();
  #left: number;

  constructor(text: string) {
    this.#text = text;
    this.#left = STEPS_PER_TEXT + STEPS_PER_UNIT * text.length;
  }

  /** The first match from a place on, and of those that begin there the one that comes first in the pattern. */
  find(program: readonly Step[], from: number): readonly [number, number] | undefined {
    // What has led nowhere from an earlier start leads nowhere from a later one.
    const tried = new Set<number>();
    for (let start = from; start <= this.#text.length; start++) {
      // The second half of a pair is no place of its own.
      if (start > from && isLow(this.#text.charCodeAt(start)) && isHigh(this.#text.charCodeAt(start - 1))) continue;
      const end = this.#match(program, start, tried, undefined, 1);
      if (end !== undefined) return [start, end];
    }
    return undefined;
  }

  /** @param wanted where the match must end; anywhere if undefined */
  #match(
    program: readonly Step[],
    start: number,
    tried: Set<number>,
    wanted: number | undefined,
    cost: number,
  ): number | undefined {
    const text = this.#text;
    const places = text.length + 1;
    const open: number[] = [0, start];
    while (open.length > 0) {
      let at = open.pop() ?? 0;
      let pc = open.pop() ?? 0;
      for (;;) {
        if ((this.#left -= cost) < 0) throw new Error("a pattern takes too many steps on this text; it was stopped");
        const step = program[pc];
        if (!step) break;
        if (step.kind === "char") {
          const code = text.codePointAt(at);
          if (code === undefined || !step.test(code)) break;
          at += code > 0xffff ? 2 : 1;
          pc++;
        } else if (step.kind === "split") {
          const key = pc * places + at;
          if (tried.has(key)) break;
          tried.add(key);
          open.push(step.second, at);
          pc = step.first;
        } else if (step.kind === "jump") pc = step.to;
        else if (step.kind === "match") {
          if (wanted === undefined || wanted === at) return at;
          break;
        } else if (this.#holds(step, at)) pc++;
        else break;
      }
    }
    return undefined;
  }

  #holds(step: Exclude<Step, { kind: "char" | "split" | "jump" }>, at: number): boolean {
    if (step.kind === "start") return at === 0;
    if (step.kind === "end") return at === this.#text.length;
    if (step.kind !== "look") return true;
    const { program, behind, negative, most } = step;
    if (!behind) {
      const tried = this.#ahead.get(step) ?? new Set<number>();
      const isThere = this.#match(program, at, tried, undefined, LOOKING) !== undefined;
      // What was tried on the way to a match has not led nowhere.
      if (isThere) this.#ahead.delete(step);
      else this.#ahead.set(step, tried);
      return isThere !== negative;
    }
    let found = false;
    // A character has up to two units.
    const first = Math.max(0, at - 2 * most);
    for (let start = at; start >= first && !found; start--) {
      found = this.#match(program, start, new Set(), at, LOOKING) !== undefined;
    }
    return found !== negative;
  }
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
