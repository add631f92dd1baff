/** White space as JavaScript's `\s` and `trim` have it. */
const WHITESPACE = "\t\n\u000b\u000c\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff";

const escaped = (code: number): string =>
  code < 0x80 ? `\\x${hex(code, 2)}` : code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}

/** A Python string literal in ASCII. */
export function pythonString(text: string): string {
  const characters = Array.from(text, (character) => {
    if (character === '"' || character === "\\") return `\\${character}`;
    if (character === "\n") return "\\n";
    const code = character.codePointAt(0) ?? 0;
    return code < 0x20 || code > 0x7e ? escaped(code) : character;
  });
  return `"${characters.join("")}"`;
}

/** A number, true, false, null, or text. */
export function pythonValue(value: number | string | boolean | null): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? String(value) : pythonString(value);
}

/** The whole of `\s`, for Python's character classes, where `\s` is not the same. */
export const PYTHON_WHITESPACE = Array.from(WHITESPACE, (sign) =>
  sign === "-" || sign === " " ? sign : escaped(sign.codePointAt(0) ?? 0),
).join("");

const DIFFERENT = /\[\\s\\S\]|\\[sd/]|\\.|\$/g;
const IN_PYTHON: Readonly<Record<string, string>> = {
  "\\s": `[${PYTHON_WHITESPACE}]`,
  "\\d": "[0-9]",
  "\\/": "/",
  // Python's own `$` stands before a last line break too.
  $: "\\Z",
};

/**
 * The same expression for Python's `re`, as a call of `re.compile`. What the two languages read differently is rewritten:
 * `\s` and `\d` (which must not stand in a class with others), `$`, escaped slashes; `g` and `y` are the caller's method.
 */
export function pythonPattern({ source, flags }: RegExp): string {
  const python = source.replaceAll(DIFFERENT, (found) => IN_PYTHON[found] ?? found);
  return `re.compile(r"${python}"${flags.includes("s") ? ", re.DOTALL" : ""})`;
}

const LAST_CODE_POINT = 0x10ffff;

/** The characters that an expression matches, as ranges of a Python character class. */
export function pythonClass(pattern: RegExp): string {
  const ranges: string[] = [];
  let start = -1;
  for (let code = 0; code <= LAST_CODE_POINT + 1; code++) {
    const inside = code <= LAST_CODE_POINT && pattern.test(String.fromCodePoint(code));
    if (inside && start < 0) start = code;
    if (inside || start < 0) continue;
    ranges.push(start === code - 1 ? escaped(start) : `${escaped(start)}-${escaped(code - 1)}`);
    start = -1;
  }
  return ranges.join("");
}
