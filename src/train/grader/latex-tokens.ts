import { EAST_ASIAN_RUN, EAST_ASIAN_SEPARATORS } from "./east-asian.ts";
import { MAX_TOKENS } from "./limits.ts";
import { scanNumber } from "./number-tokens.ts";
import type { NumberOptions, NumberToken } from "./number-tokens.ts";
import type { Joint } from "./node.ts";
import { isCountedWord, isLetterUnit, unitNamed } from "./units.ts";
import type { Unit } from "./units.ts";
import { constantNamed, FUNCTIONS, isLabel, PERCENT_WORDS, QUALIFIERS, SCALES } from "./words.ts";

/**
 * One token. `command` texts start with a backslash; `text` is what `\text{…}` held, or a word; `separator` is a comma
 * in words; `begin` and `end` carry the environment's name; `sign` is a single character.
 */
export type Token =
  | NumberToken
  | { readonly kind: "letter" | "function" | "command" | "text" | "begin" | "end" | "sign"; readonly text: string }
  | { readonly kind: "separator"; readonly text: string; readonly joint: Joint }
  | { readonly kind: "unit"; readonly text: string; readonly unit: Unit };

const PERCENT: Token = { kind: "sign", text: "%" };
const WHERE: Token = { kind: "command", text: "\\where" };

const SPACE = /\s+/y;
const ENVIRONMENT = /\\(begin|end)\s*\{([a-zA-Z]+\*?)\}/y;
const TEXT = /\\(?:text|textbf|textit|textnormal|textrm|textsf|mbox|hbox|emph)\s*\{([^{}]*)\}/y;
/** Upright words: operators, units, names. */
const UPRIGHT = /\\(?:operatorname\*?|mathrm|mathsf|rm)\s*\{([^{}\\]{1,80})\}/y;
const COMMAND = /\\(?:[a-zA-Z]+|.)/sy;
const LETTERS = /[a-zA-Z]+/y;
const OTHER_LETTERS = /[\p{L}µ°]{1,80}/uy;
/** `\quad` runs into the next letter where a data set lost a space. */
const QUAD = /^\\q?quad(?=[a-z])/;
/** `1.2 x 10^5`, `2 x 3`: a letter between numbers that is a cross. */
const CROSS = /x(?=\s?10\s?\^)|(?<=\s)[xX](?=\s+[\d\\])/y;
/** What may follow a unit of one letter, which else is a variable. */
const AFTER_LETTER_UNIT = /^\s{0,9}(?:$|[,;.)\]}/%&]|\^\{?[-\d]|\\(?:cdot|text|quad|le|ge|,|\\)|[*·]\s?[a-zA-Z])/;
const NUMERIC = /^\s*[-+]?[\d.,\s/()%:]+\s*$/;

export interface TokenizeOptions extends NumberOptions {
  /** Reads m, g, s, … after a number as a unit rather than as a variable. */
  readonly letterUnits: boolean;
}

/** @returns undefined for a text with too many tokens or digits */
export function tokenize(text: string, options: TokenizeOptions): Token[] | undefined {
  return new Tokenizer(text, options).run();
}

class Tokenizer {
  readonly #text: string;
  readonly #options: TokenizeOptions;
  readonly #tokens: Token[] = [];
  #at = 0;
  #brackets = 0;
  #failed = false;

  constructor(text: string, options: TokenizeOptions) {
    this.#text = text;
    this.#options = options;
  }

  run(): Token[] | undefined {
    while (this.#at < this.#text.length && !this.#failed) {
      if (this.#tokens.length > MAX_TOKENS) return undefined;
      this.#step(this.#text[this.#at] ?? "");
    }
    return this.#failed ? undefined : this.#tokens;
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found) this.#at = pattern.lastIndex;
    return found;
  }

  #push(token: Token): void {
    this.#tokens.push(token);
  }

  #step(sign: string): void {
    if (this.#match(SPACE)) return;
    if (/[\d.A-F]/.test(sign) && this.#number()) return;
    if (sign === "\\") this.#command();
    else if (/[a-zA-Z]/.test(sign)) this.#word(this.#match(LETTERS)?.[0] ?? "");
    else if (/[^\0-\x7f]/.test(sign)) this.#foreign(sign);
    else this.#sign(sign);
  }

  #number(): boolean {
    const scanned = scanNumber(this.#text, this.#at, {
      ...this.#options,
      grouping: this.#options.grouping && this.#brackets === 0,
    });
    if (!scanned) return false;
    this.#at = scanned.end;
    if (scanned.token) this.#push(scanned.token);
    else this.#failed = true;
    return true;
  }

  #sign(sign: string): void {
    if (sign === "(" || sign === "[") this.#brackets++;
    if (sign === ")" || sign === "]") this.#brackets--;
    this.#push({ kind: "sign", text: sign });
    this.#at++;
  }

  /** Letters of other scripts: a separator, or a word. */
  #foreign(sign: string): void {
    const run = this.#match(EAST_ASIAN_RUN)?.[0] ?? this.#match(OTHER_LETTERS)?.[0];
    if (run === undefined) {
      this.#at += sign === "、" || sign.length > 0 ? 1 : 0;
      if (sign === "、") this.#push({ kind: "separator", text: ",", joint: "," });
      else this.#push({ kind: "sign", text: sign });
      return;
    }
    if (this.#scale(run[0] ?? "") && this.#tokens.length > 0) {
      this.#at -= run.length - 1;
      return;
    }
    const joint = EAST_ASIAN_SEPARATORS.get(run);
    if (joint) this.#push({ kind: "separator", text: ",", joint });
    else this.#unitOrText(run);
  }

  #command(): void {
    const environment = this.#match(ENVIRONMENT);
    if (environment) {
      this.#push({ kind: environment[1] === "begin" ? "begin" : "end", text: environment[2] ?? "" });
      return;
    }
    const words = this.#match(TEXT) ?? this.#match(UPRIGHT);
    if (words) {
      this.#textGroup(words[1] ?? "");
      return;
    }
    const command = this.#match(COMMAND)?.[0] ?? "\\";
    const quad = QUAD.exec(command)?.[0];
    if (quad !== undefined) this.#at -= command.length - quad.length;
    const name = quad ?? command;
    if (name === "\\{") this.#brackets++;
    if (name === "\\}") this.#brackets--;
    if (name === "\\%") this.#push(PERCENT);
    else if (name === "\\land" || name === "\\wedge") this.#push({ kind: "separator", text: ",", joint: "and" });
    else if (name === "\\lor" || name === "\\vee") this.#push({ kind: "separator", text: ",", joint: "or" });
    else if (FUNCTIONS.has(name.slice(1)) && name !== "\\sqrt") this.#push({ kind: "function", text: name.slice(1) });
    else this.#push({ kind: "command", text: name });
    if (command === "\\") this.#at++;
  }

  /** "million" and 万 after a number multiply it. */
  #scale(word: string): boolean {
    const power = SCALES.get(word);
    if (power === undefined || this.#tokens.at(-1)?.kind !== "number") return false;
    this.#push({ kind: "sign", text: "*" });
    const value = { numerator: 10n ** BigInt(power), denominator: 1n };
    this.#push({ kind: "number", text: String(value.numerator), value, decimal: false, decimals: 0 });
    return true;
  }

  /** What `\text{…}` holds: mathematics, a separator, a unit, a qualifier, or words. */
  #textGroup(content: string): void {
    const text = content.trim();
    if (text === "") return;
    if (text === "," || text === "and" || text === "or" || EAST_ASIAN_SEPARATORS.has(text)) {
      const joint =
        text === "," ? "," : text === "and" || text === "or" ? text : (EAST_ASIAN_SEPARATORS.get(text) ?? ",");
      this.#push({ kind: "separator", text: ",", joint });
      return;
    }
    const isVariable = /^[a-zA-Z]$/.test(text) && !(this.#isAfterValue() && unitNamed(text));
    if (NUMERIC.test(text) || isVariable || /^\([A-Za-z]\)$/.test(text)) {
      for (const token of tokenize(text, this.#options) ?? []) this.#push(token);
      return;
    }
    if (this.#scale(text)) return;
    if (this.#isAfterValue() && this.#compoundUnit(text)) return;
    if (PERCENT_WORDS.has(text.toLowerCase())) this.#push(PERCENT);
    else if (this.#isQualifier(text)) this.#qualifier(text);
    else if (FUNCTIONS.has(text)) this.#push({ kind: "function", text });
    else if (!this.#compoundUnit(text)) this.#unitOrText(text);
  }

  #isQualifier(text: string): boolean {
    return this.#tokens.length > 0 && QUALIFIERS.has((/^[a-z]+/i.exec(text)?.[0] ?? "").toLowerCase());
  }

  /** What holds for the variables is read as mathematics where it is, else it is words. */
  #qualifier(text: string): void {
    this.#push(WHERE);
    const rest = text.replace(/^[a-z]+/i, "").replace(/^\s*(?:all|any|every|some|each|that)(?![a-z])/i, "");
    for (const token of tokenize(rest, this.#options) ?? []) this.#push(token);
  }

  /** km/h, m/s^2, kg m^2, square metres. */
  #compoundUnit(text: string): boolean {
    const words = text.replaceAll(/\bper\b/g, "/").match(/[a-zA-Zµ°]+|\^?\{?-?\d+\}?|[/·*]/g) ?? [];
    const names = words.filter((word) => /^[a-zA-Zµ°]/.test(word));
    const isUnit = (name: string): boolean => unitNamed(name) !== undefined || isCountedWord(name);
    if (names.length === 0 || !names.every(isUnit) || names.every(isCountedWord)) return false;
    for (const [index, word] of words.entries()) {
      const unit = unitNamed(word);
      const power = /-?\d+/.exec(word)?.[0];
      const raisedBy = /^(?:square|sq)$/i.test(word) ? "2" : /^(?:cubic|cu)$/i.test(word) ? "3" : undefined;
      if (unit) {
        this.#push({ kind: "unit", text: word, unit });
        const before = words[index - 1];
        if (before !== undefined && /^(?:square|sq)$/i.test(before)) this.#raise("2");
        if (before !== undefined && /^(?:cubic|cu)$/i.test(before)) this.#raise("3");
      } else if (power !== undefined) this.#raise(power);
      else if (raisedBy === undefined && !isCountedWord(word)) this.#push({ kind: "sign", text: word });
    }
    return true;
  }

  #raise(power: string): void {
    this.#push({ kind: "sign", text: "^" });
    this.#push({ kind: "sign", text: "{" });
    for (const token of tokenize(power, this.#options) ?? []) this.#push(token);
    this.#push({ kind: "sign", text: "}" });
  }

  #unitOrText(text: string): void {
    const unit = this.#isAfterValue() || this.#isAfterUnit() ? unitNamed(text) : undefined;
    this.#push(unit ? { kind: "unit", text, unit } : { kind: "text", text });
  }

  #isAfterValue(): boolean {
    const previous = this.#tokens.at(-1);
    if (!previous) return false;
    if (previous.kind === "number" || previous.kind === "text") return true;
    return ["}", ")", "\\pi", "!"].includes(previous.text) || (previous.kind === "letter" && previous.text === "e");
  }

  /** After a slash or a dot that follows a unit. */
  #isAfterUnit(): boolean {
    const [sign, before] = [this.#tokens.at(-1), this.#tokens.at(-2)];
    if (sign?.kind === "unit") return true;
    const joins = sign !== undefined && ["/", "*", "\\cdot"].includes(sign.text);
    return (
      joins && (before?.kind === "unit" || (before?.text === "}" && this.#tokens.some(({ kind }) => kind === "unit")))
    );
  }

  /** A run of letters is a known word, a unit or label after a number, or variables side by side. */
  #word(run: string): void {
    const word = run.toLowerCase();
    const afterValue = this.#isAfterValue();
    const start = this.#at - run.length;
    if (run === "and" || run === "or") return this.#push({ kind: "separator", text: ",", joint: run });
    if (this.#tokens.at(-1)?.kind === "number" && run.length === 1 && this.#isCross(start)) {
      return this.#push({ kind: "command", text: "\\times" });
    }
    if (this.#scale(word)) return undefined;
    const constant = constantNamed(run);
    if (constant !== undefined) return this.#push({ kind: "command", text: constant });
    if (afterValue && PERCENT_WORDS.has(word)) return this.#push(PERCENT);
    if ((afterValue || this.#isAfterUnit()) && this.#unit(run)) return undefined;
    if (run === "sqrt" || run === "approx") return this.#push({ kind: "command", text: `\\${run}` });
    if (FUNCTIONS.has(run)) return this.#push({ kind: "function", text: run });
    if (QUALIFIERS.has(word) && afterValue) return this.#qualifier(run);
    if (QUALIFIERS.has(word) && this.#tokens.length > 0 && /^\s/.test(this.#text.slice(this.#at)))
      return this.#qualifier(run);
    if (afterValue && /\s/.test(this.#text[start - 1] ?? "") && isLabel(run))
      return this.#push({ kind: "text", text: run });
    for (const letter of run) this.#push({ kind: "letter", text: letter });
    return undefined;
  }

  #isCross(start: number): boolean {
    CROSS.lastIndex = start;
    return CROSS.test(this.#text);
  }

  #unit(run: string): boolean {
    if (run === "per") {
      this.#push({ kind: "sign", text: "/" });
      return true;
    }
    if (isCountedWord(run)) {
      // "square metres" is one unit.
      const next = /^\s+([a-zA-Z]{1,20})/.exec(this.#text.slice(this.#at, this.#at + 40));
      if (next && this.#compoundUnit(`${run} ${next[1] ?? ""}`)) this.#at += next[0].length;
      else this.#push({ kind: "text", text: run });
      return true;
    }
    const unit = unitNamed(run);
    if (!unit) return false;
    const isFree = this.#options.letterUnits && AFTER_LETTER_UNIT.test(this.#text.slice(this.#at, this.#at + 30));
    if (isLetterUnit(run) && !isFree && !this.#isAfterUnit()) return false;
    this.#push({ kind: "unit", text: run, unit });
    return true;
  }
}
