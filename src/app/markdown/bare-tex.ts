/** Environments of formulas that the typesetter knows; others, such as itemize, are text. */
const ENVIRONMENTS = new Set(
  (
    "align alignat alignedat aligned array Bmatrix bmatrix cases CD darray dcases drcases equation gather gathered " +
    "matrix pmatrix rcases smallmatrix split subarray Vmatrix vmatrix"
  ).split(" "),
);

/** Of these, what the typesetter takes in formulas of their own alone. */
const SET_APART = new Set("align alignat CD equation gather".split(" "));

/** Commands that models write without any delimiters, with the groups that they take. */
const COMMANDS: Readonly<Record<string, number>> = { boxed: 1, fbox: 1, frac: 2, dfrac: 2, tfrac: 2, sqrt: 1 };

/** What looks for an end stops there. */
const MAX_ENVIRONMENT = 4000;
const MAX_GROUPS = 600;
const MAX_MARGIN = 40;

/** TeX outside of any delimiter. */
export interface BareTex {
  readonly end: number;
  readonly isDisplay: boolean;
}

/** What begins bare TeX at the place of its backslash. */
export const BARE_START = String.raw`\\(?:begin\{[A-Za-z]+\*?\}|(?:${Object.keys(COMMANDS).join("|")})(?![A-Za-z]))`;

/** The environment or the command at a backslash; undefined where it is none, or has no end (yet). */
export function bareTex(text: string, at: number): BareTex | undefined {
  const most = text.slice(at, at + MAX_GROUPS);
  const environment = /^\\begin\{([A-Za-z]+)(\*?)\}/.exec(most);
  if (environment) {
    const [, name = "", star = ""] = environment;
    if (!ENVIRONMENTS.has(name)) return undefined;
    const end = endOfEnvironment(text.slice(at, at + MAX_ENVIRONMENT), `${name}${star}`);
    if (end < 0) return undefined;
    // A matrix may be a factor in a line.
    const isAlone = isLineEnd(text, at - 1, -1) && isLineEnd(text, at + end, 1);
    return { end: at + end, isDisplay: SET_APART.has(name) || isAlone };
  }
  const [head = "", name = ""] = /^\\([A-Za-z]+)(?:\[[^\]\n]{0,20}\])?/.exec(most) ?? [];
  let end = head.length;
  for (let left = COMMANDS[name] ?? 0; left > 0; left--) {
    end = endOfGroup(most, end);
    if (end < 0) return undefined;
  }
  return end > head.length ? { end: at + end, isDisplay: false } : undefined;
}

/** Whether nothing stands from a place on to the line's end, or back to its beginning, but a list's or a quotation's mark. */
function isLineEnd(text: string, from: number, step: 1 | -1): boolean {
  for (let at = from; ; at += step) {
    const sign = text[at] ?? "\n";
    if (sign === "\n") return true;
    if (Math.abs(at - from) > MAX_MARGIN || !(step > 0 ? /[\s.,;。，；]/ : /[\s>\-*+.)\d]/).test(sign)) return false;
  }
}

function endOfEnvironment(text: string, name: string): number {
  let depth = 0;
  for (let at = 0; ;) {
    const close = text.indexOf(`\\end{${name}}`, at);
    if (close < 0) return -1;
    for (let open = text.indexOf(`\\begin{${name}}`, at); open >= 0 && open < close;) {
      depth++;
      open = text.indexOf(`\\begin{${name}}`, open + 1);
    }
    depth--;
    at = close + name.length + 6;
    if (depth === 0) return at;
  }
}

/** The end of `{…}` with the groups within, on lines that follow one another. */
function endOfGroup(text: string, from: number): number {
  let at = from;
  while (text[at] === " ") at++;
  if (text[at] !== "{") return -1;
  let depth = 0;
  for (; at < text.length; at++) {
    const sign = text[at];
    if (sign === "\\") at++;
    else if (sign === "{") depth++;
    else if (sign === "\n" && text[at + 1] === "\n") return -1;
    else if (sign === "}" && --depth === 0) return at + 1;
  }
  return -1;
}
