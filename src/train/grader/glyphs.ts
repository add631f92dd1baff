/** Signs that stand for a LaTeX command or an ASCII sign. */
const SIGNS: Readonly<Record<string, string>> = {
  "−": "-",
  "‐": "-",
  "‑": "-",
  "–": "-",
  "—": "-",
  "―": "-",
  "﹣": "-",
  "×": "\\times ",
  "✕": "\\times ",
  "·": "\\cdot ",
  "∙": "\\cdot ",
  "⋅": "\\cdot ",
  "•": "\\cdot ",
  "∗": "*",
  "⁎": "*",
  "÷": "\\div ",
  "⁄": "/",
  "∕": "/",
  "∶": ":",
  π: "\\pi ",
  "∞": "\\infty ",
  "≤": "\\le ",
  "≦": "\\le ",
  "⩽": "\\le ",
  "≥": "\\ge ",
  "≧": "\\ge ",
  "⩾": "\\ge ",
  "≠": "\\ne ",
  "≈": "\\approx ",
  "≒": "\\approx ",
  "≃": "\\approx ",
  "≡": "\\equiv ",
  "∈": "\\in ",
  "∪": "\\cup ",
  "∩": "\\cap ",
  "∖": "\\setminus ",
  "±": "\\pm ",
  "∓": "\\mp ",
  "℃": "\\text{°C}",
  "℉": "\\text{°F}",
  "∅": "\\emptyset ",
  "→": "\\to ",
  "⇒": "\\Rightarrow ",
  "∴": "\\therefore ",
  "∧": "\\land ",
  "∨": "\\lor ",
  "∑": "\\sum ",
  "∏": "\\prod ",
  "…": "\\ldots ",
  "⋯": "\\ldots ",
  "⌊": "\\lfloor ",
  "⌋": "\\rfloor ",
  "⌈": "\\lceil ",
  "⌉": "\\rceil ",
  "⟨": "\\langle ",
  "⟩": "\\rangle ",
  "〈": "\\langle ",
  "〉": "\\rangle ",
  "‖": "\\|",
  "∣": "|",
  ℝ: "\\mathbb{R}",
  ℤ: "\\mathbb{Z}",
  ℕ: "\\mathbb{N}",
  ℚ: "\\mathbb{Q}",
  ℂ: "\\mathbb{C}",
  "′": "'",
  "’": "'",
  "‘": "'",
  α: "\\alpha ",
  β: "\\beta ",
  γ: "\\gamma ",
  δ: "\\delta ",
  ε: "\\epsilon ",
  θ: "\\theta ",
  λ: "\\lambda ",
  μ: "\\mu ",
  σ: "\\sigma ",
  φ: "\\phi ",
  ω: "\\omega ",
  Θ: "\\Theta ",
  Ω: "\\Omega ",
  Δ: "\\Delta ",
  "，": ",",
  "、": "、",
  "．": ".",
  "。": "。",
  "\u00a0": " ",
  "\u202f": " ",
  "\u2009": " ",
  "\u2007": " ",
  "\u3000": " ",
  "\u200b": "",
  "\u2060": "",
  "\ufeff": "",
};

const FRACTIONS: Readonly<Record<string, readonly [number, number]>> = {
  "½": [1, 2],
  "⅓": [1, 3],
  "⅔": [2, 3],
  "¼": [1, 4],
  "¾": [3, 4],
  "⅕": [1, 5],
  "⅖": [2, 5],
  "⅗": [3, 5],
  "⅘": [4, 5],
  "⅙": [1, 6],
  "⅚": [5, 6],
  "⅐": [1, 7],
  "⅛": [1, 8],
  "⅜": [3, 8],
  "⅝": [5, 8],
  "⅞": [7, 8],
  "⅑": [1, 9],
  "⅒": [1, 10],
};

const RAISED = new Map(
  Array.from("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣʸᵃᵇᵏᵐ", (glyph, index) => [glyph, "0123456789+-=()nixyabkm"[index] ?? ""]),
);
const LOWERED = new Map(
  Array.from("₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙₓᵢₐₖₘ", (glyph, index) => [glyph, "0123456789+-=()nxiakm"[index] ?? ""]),
);
const ROOTS: Readonly<Record<string, string>> = { "√": "", "∛": "[3]", "∜": "[4]" };

const SIGN_PATTERN = new RegExp(`[${Object.keys(SIGNS).join("")}]`, "gu");
const FRACTION_PATTERN = new RegExp(`[${Object.keys(FRACTIONS).join("")}]`, "gu");
const RAISED_PATTERN = new RegExp(`[${[...RAISED.keys()].join("")}]{1,40}`, "gu");
const LOWERED_PATTERN = new RegExp(`[${[...LOWERED.keys()].join("")}]{1,40}`, "gu");
/** A root glyph reaches over a number or a name: √13 is not √1·3. */
const ROOT_PATTERN = /([√∛∜])\s?(\d{1,60}(?:\.\d{1,60})?(?!\.?\d)|[a-zA-Z])?/gu;

/** What full-width forms, ！ to ～, are short of ASCII by. */
const FULL_WIDTH_SHIFT = 0xfee0;

const spelled = (run: string, glyphs: ReadonlyMap<string, string>): string =>
  Array.from(run, (glyph) => glyphs.get(glyph) ?? "").join("");

/**
 * Glyphs as the LaTeX or ASCII that says the same: full-width forms, superscripts and subscripts, fractions, roots,
 * mathematical signs, exotic spaces.
 */
export function plainGlyphs(text: string): string {
  return text
    .replaceAll(/[\uff01-\uff5e]{1,4000}/g, (run) => {
      return String.fromCharCode(...Array.from(run, (sign) => sign.charCodeAt(0) - FULL_WIDTH_SHIFT));
    })
    .replaceAll(/[\u3380-\u33df]/g, (unit) => unit.normalize("NFKC").replace(/(?<=[a-z])[23]$/, "^$&"))
    .replaceAll("￥", "¥")
    .replaceAll(RAISED_PATTERN, (run) => `^{${spelled(run, RAISED)}}`)
    .replaceAll(LOWERED_PATTERN, (run) => `_{${spelled(run, LOWERED)}}`)
    .replaceAll(FRACTION_PATTERN, (glyph) => {
      const [top, bottom] = FRACTIONS[glyph] ?? [0, 0];
      return `\\frac{${top}}{${bottom}}`;
    })
    .replaceAll(ROOT_PATTERN, (_, root: string, under?: string) => {
      return `\\sqrt${ROOTS[root] ?? ""}${under === undefined ? " " : `{${under}}`}`;
    })
    .replaceAll(/°\s?([CF])(?![a-zA-Z])/g, String.raw`\text{°$1}`)
    .replaceAll(/(?<!\{)°/g, "^\\circ ")
    .replaceAll(SIGN_PATTERN, (sign) => SIGNS[sign] ?? sign);
}
