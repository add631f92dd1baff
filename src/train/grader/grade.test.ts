import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { extractAnswer } from "./extract.ts";
import { gradeAnswer, mathEqual } from "./grade.ts";

const EQUAL: Readonly<Record<string, readonly (readonly [gold: string, prediction: string])[]>> = {
  numbers: [
    ["12", "12.0"],
    ["-3", "−3"],
    ["1234567", "1,234,567"],
    ["$1{,}234$", "1234"],
    ["11,\\! 111,\\! 111,\\! 100", "\\boxed{11111111100}"],
    ["0.333333", "$\\frac13$"],
    ["0.\\overline{3}", "$\\frac{1}{3}$"],
    ["123456789012345678901234567890", "\\boxed{123456789012345678901234567890}"],
    ["1/3", "\\boxed{\\dfrac{1}{3}}"],
    ["\\frac43", "4/3"],
    ["\\frac{270}7\\text{ degrees}", "$\\frac{270}{7}^\\circ$"],
    ["1\\frac{4}{5}", "1.8"],
    ["137 \\frac{1}{2}", "137.5"],
    ["1 4/5", "9/5"],
    ["-1\\frac12", "-1.5"],
    ["1.2 \\times 10^5", "120000"],
    ["6.72e-5", ".0000672"],
    ["3\\cdot10^{-4}", "0.0003"],
    ["5!", "120"],
    ["\\binom{5}{2}", "10"],
    ["204_5", "54"],
    ["2^10", "1024"],
  ],
  "percent, currency and units": [
    ["50\\%", "0.5"],
    ["50\\%", "50"],
    ["-50\\%", "-0.5"],
    ["0.28", "it falls by $28$ percent"],
    ["\\$18.90", "$18.90"],
    ["\\$32,\\!348", "\\boxed{32348}"],
    ["18", "The cost is €18."],
    ["90^\\circ", "90"],
    ["90^{\\circ}", "$90$ degrees"],
    ["864 \\mbox{ inches}^2", "\\boxed{864}"],
    ["5.4 \\text{ cents}", "5.4"],
    ["35", "\\boxed{35 cm}"],
    ["5", "$5\\mathrm{~cm}^2$"],
    ["125", "125 miles"],
  ],
  "roots, powers and constants": [
    ["11\\sqrt2", "\\boxed{\\sqrt{242}}"],
    ["\\sqrt[3]{8}", "2"],
    ["\\sqrt{12}", "$2\\sqrt{3}$"],
    ["\\frac{9}{4}\\pi", "\\boxed{\\frac94\\pi}"],
    ["2pi", "$2\\pi$"],
    ["e^2", "$\\exp(2)$"],
    ["\\ln(e^3)", "3"],
    ["\\log_2 8", "3"],
    ["\\log 1000", "3"],
    ["(1+i)^2", "2i"],
    ["6 - 5i", "-5i+6"],
    ["\\lfloor 3.7 \\rfloor", "3"],
    ["|{-3}|", "3"],
    ["\\left|-3\\right|", "3"],
  ],
  expressions: [
    ["p - q", "\\boxed{-q+p}"],
    ["(a+5)(b+2)", "ab+2a+5b+10"],
    ["\\frac{11+9a}{20}", "$0.55+0.45a$"],
    ["\\sin^2 x + \\cos^2 x", "1"],
    ["\\sin 2x", "2\\sin x\\cos x"],
    ["\\cos 60^\\circ", "1/2"],
    ["\\cot x", "\\frac{1}{\\tan x}"],
    ["\\sin^{-1}(x)", "\\arcsin x"],
    ["x^8 + x^7", "x^7(x+1)"],
    ["\\sqrt{x^2}", "|x|"],
    ["5r^5", "5 r^{5}"],
    ["x_1 + x_2", "x_{2}+x_{1}"],
  ],
  "relations and assignments": [
    ["x=5", "5"],
    ["5", "$x = 5$"],
    ["5 = x", "x = 5"],
    ["y = 2x + 3", "2x+3"],
    ["y = 2x + 3", "2x - y + 3 = 0"],
    ["5x - 7y + 11z + 4 = 0", "$10x-14y+22z=-8$"],
    ["x \\ge 5", "5 \\le x"],
    ["x >= 5", "x \\geq 5"],
    ["x > 5", "(5, \\infty)"],
    ["x \\in [-2,7]", "[-2,7]"],
    ["x \\in [-2,7]", "-2 \\le x \\le 7"],
    ["x < 1 \\text{ or } x > 3", "(-\\infty, 1) \\cup (3, \\infty)"],
    ["2x = 6 \\Rightarrow x = 3", "3"],
    ["\\begin{align*} x &= 1 + 1 \\\\ &= 2 \\end{align*}", "2"],
  ],
  "several values": [
    ["1, 2", "1 and 2"],
    ["1,-2", "\\boxed{-2,1}"],
    ["-2,1", "$x = 1$ or $x = -2$"],
    ["3, 5, 7", "\\boxed{7, 3, \\text{ and } 5}"],
    ["\\{1,2\\}", "\\{2,1\\}"],
    ["\\{1\\pm\\sqrt{5},-2\\}", "\\boxed{-2, 1-\\sqrt5, 1+\\sqrt5}"],
    ["1 \\pm \\sqrt{19}", "\\boxed{1+\\sqrt{19}, 1-\\sqrt{19}}"],
    ["\\left( 3, \\frac{\\pi}{2} \\right)", "(3, \\pi/2)"],
    ["(0,9) \\cup (9,36)", "(9,36)\\cup(0,9)"],
    ["(-\\infty, 2) \\cup (3, \\infty)", "(−∞, 2) ∪ (3, ∞)"],
    ["(-\\infty,\\infty)", "\\mathbb{R}"],
    ["\\emptyset", "\\{\\}"],
    ["\\mathbb{R} \\setminus \\{3\\}", "\\boxed{\\mathbb{R}\\setminus\\{3\\}}"],
    ["\\begin{pmatrix} -1/3 \\\\ 2/3 \\end{pmatrix}", "\\begin{bmatrix} -\\frac13 \\\\ \\frac23 \\end{bmatrix}"],
    ["\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "(1,2)"],
  ],
  words: [
    ["\\text{Monday}", "\\boxed{\\text{monday}}"],
    ["\\text{Evelyn}", "\\boxed{Evelyn}"],
    ["Monday", "The answer is Monday."],
    ["\\text{(C)}", "\\boxed{C}"],
    ["B", "The final answer is (B)."],
    ["\\text{even}", "\\boxed{\\text{even}}"],
    ["C", "The correct option is (C)."],
  ],
  "answers in prose": [
    ["12", "First 3, then 4. The final answer is 12"],
    ["12", "**Final Answer**: 12"],
    ["12", "**Final Answer**\n\\boxed{12}"],
    ["12", "So 5 + 7 = 12.\n#### 12"],
    ["12", "<think>\nMaybe \\boxed{11}.\n</think>\n<answer>\n12\n</answer>"],
    ["12", "Maybe \\boxed{11}? No: \\[ \\boxed{12} \\]"],
    ["12", "There are 12 apples."],
    ["11", "They cost $5 and $6, that is $11 in all."],
    ["12", "#### 12"],
    ["12", "\\(12\\)"],
    ["\\frac12", "The answer is: $\\frac{1}{2}$."],
  ],
};

const DIFFERENT: readonly (readonly [gold: string, prediction: string])[] = [
  ["12", "13"],
  ["12", "-12"],
  ["12", "no idea"],
  ["12", ""],
  ["123456789012345678901", "123456789012345678902"],
  ["1/3", "0.33"],
  ["0", "0.0000001"],
  ["\\frac{1}{3}", "\\frac{333333}{1000000}"],
  ["32349", "\\boxed{32, 349}"],
  ["50\\%", "5"],
  ["x", "y"],
  ["x^2", "|x|"],
  ["\\sqrt{x^2}", "x"],
  ["x=5", "6"],
  ["x=5", "y=5"],
  ["2x + z = 1", "1"],
  ["x < 1", "x > 1"],
  ["x < 1", "x \\le 1"],
  ["x > 5", "y > 5"],
  ["x > 5", "5"],
  ["(1,2)", "(2,1)"],
  ["(1,2)", "[1,2]"],
  ["(1,2)", "(1,2,3)"],
  ["\\{1,2\\}", "\\{1,2,3\\}"],
  ["1,2", "1"],
  ["1", "1,2"],
  ["(-\\infty, 2)", "(-\\infty, 3)"],
  ["(1, \\infty)", "(1, -\\infty)"],
  ["\\infty", "-\\infty"],
  ["\\infty", "10^{400}"],
  ["\\text{Monday}", "\\text{Tuesday}"],
  ["\\text{(C)}", "\\text{(D)}"],
  ["B", "\\boxed{A}"],
  ["1/0", "2/0"],
  ["\\frac{1}{23}", "\\frac{12}{3}"],
  ["12", "\\boxed{1 2}"],
  ["-\\frac13", "\\boxed{\\frac13}"],
  ["\\text{-3}", "\\text{3}"],
  ["x^{12}", "x^12x"],
  ["2", "The final answer is 2 or 3."],
  ["\\begin{pmatrix} 1 \\\\ -2 \\end{pmatrix}", "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}"],
];

describe("gradeAnswer", () => {
  for (const [kind, pairs] of Object.entries(EQUAL))
    it.each(pairs)(`finds equal, among ${kind}: %s | %s`, (gold, prediction) => {
      expect(gradeAnswer(gold, prediction)).toBe(true);
      expect(mathEqual(prediction, gold)).toBe(true);
    });

  it.each(DIFFERENT)("tells apart: %s | %s", (gold, prediction) => {
    expect(gradeAnswer(gold, prediction)).toBe(false);
  });

  it.each(["", "   ", "forty two", "Answer is forty two.", "no numbers here", "$$", "}", "+-"])(
    "finds no answer in %j",
    (gold) => {
      expect(gradeAnswer(gold, "42")).toBeUndefined();
      expect(mathEqual(gold, gold)).toBe(false);
    },
  );

  it.each(["\\boxed{\\textbf{(B)}\\ 12}", "Answer: B) 12", "The answer is (B) 12."])(
    "reads the choice of %s",
    (text) => {
      expect(gradeAnswer("\\text{(B)}", text)).toBe(true);
      expect(gradeAnswer("B", text)).toBe(true);
      expect(gradeAnswer("C", text)).toBe(false);
    },
  );

  it("rounds decimals to the precision asked for", () => {
    expect(gradeAnswer("1/3", "0.33", { precision: 2 })).toBe(true);
    expect(gradeAnswer("1/3", "0.34", { precision: 2 })).toBe(false);
    expect(gradeAnswer("1/3", "0.333333")).toBe(true);
  });

  it.each([
    "89 です。",
    "答えは 89 です。",
    "答え：89",
    "したがって、答えは 89 になります。",
    "5 と 3 を使って 89 になりました。",
  ])("reads a Japanese sentence: %s", (text) => {
    expect(gradeAnswer("89", text)).toBe(true);
    expect(gradeAnswer("5", text)).toBe(false);
  });

  it("takes what a mathematician's text concludes", () => {
    expect(extractAnswer("so $x = 3$ and $y = 4$.")?.text).toBe("x = 3, y = 4");
    expect(extractAnswer("We try \\boxed{1}. That fails, so after much more work it is \\boxed{2}.")?.text).toBe("2");
  });
});

const HOSTILE = [
  "9".repeat(100_000),
  "10^{10^{10^{10}}}",
  "9^{9^9}",
  "2^{100000000}",
  "1e999",
  "100000!",
  "((((".repeat(10_000),
  "\\boxed{".repeat(10_000),
  `${"\\frac{".repeat(3_000)}1${"}{2}".repeat(3_000)}`,
  `$${"(".repeat(500)}1${")".repeat(500)}$`,
  `$${"\\sqrt".repeat(400)}2$`,
  `$${"-".repeat(900)}1$`,
  `$${"x^".repeat(400)}2$`,
  `$${"1,".repeat(450)}1$`,
  `$${"\\pm 1 ".repeat(200)}$`,
  `$${"\\{1,\\{2,".repeat(18)}3${"\\}\\}".repeat(18)}$`,
  `$${"(1,2)\\cup".repeat(90)}(1,2)$`,
  `$\\begin{pmatrix}${"1 & 2 \\\\".repeat(200)}\\end{pmatrix}$`,
  `$${"\\begin{pmatrix}1&1\\\\1&1\\end{pmatrix}".repeat(30)}$`,
  `$${"a_{".repeat(300)}$`,
  `$x${"!".repeat(900)}$`,
  `$${"\\text{".repeat(300)}`,
  "$".repeat(50_000),
  "\\(".repeat(25_000),
  "\\begin{align}".repeat(4_000),
  "answer is ".repeat(5_000),
  "final answer ".repeat(4_000),
  "<answer>".repeat(6_000),
  "1 ".repeat(25_000),
  "1,".repeat(25_000),
  "1/".repeat(25_000),
  `${" ".repeat(50_000)}x`,
  `a${" ".repeat(40_000)}x`,
  `a${".".repeat(40_000)}x`,
  `${"*".repeat(40_000)}x`,
  "\0\uFFFF\uD800 ½²³",
];

describe("gradeAnswer on hostile text", () => {
  it.each(HOSTILE.map((text) => [`${text.slice(0, 40)}… (${text.length})`, text] as const))(
    "is quick on %s",
    (_, text) => {
      const start = performance.now();
      gradeAnswer(text, text);
      gradeAnswer(text, "12");
      gradeAnswer("12", text);
      gradeAnswer(text, `${text} `);
      gradeAnswer(`\\boxed{${text}}`, `\\boxed{${text}+0}`);
      expect(performance.now() - start).toBeLessThan(2_000);
    },
  );

  const PIECES = (
    "0 1 2 12 3.5 .5 1,234 1e5 x y z e i f( sin cos log \\log_2 \\pi \\infty + - * / ^ _ ^2 _1 ( ) [ ] { } \\{ \\} | , ; : = " +
    "< > \\le \\ge \\ne \\in \\approx \\cup \\cap \\setminus \\pm \\mp ! % \\% ' & \\\\ \\frac \\frac{1}{2} \\frac12 \\sqrt \\sqrt[3]{ " +
    "\\boxed{ \\text{ \\text{and} and or \\quad $ $$ \\( \\) \\[ \\] \\left( \\right) \\begin{pmatrix} \\end{pmatrix} " +
    "\\binom \\mathbb{R} \\emptyset \\langle \\rangle \\Rightarrow \\circ ^\\circ cm percent final answer is <answer> </answer>"
  ).split(" ");

  it("neither throws nor hangs, whatever the pieces, and finds every readable text equal to itself", () => {
    const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 60 }).map((pieces) => pieces.join(" "));
    fc.assert(
      fc.property(text, text, (gold, prediction) => {
        const start = performance.now();
        gradeAnswer(gold, prediction);
        const itself = gradeAnswer(gold, gold);
        expect(performance.now() - start).toBeLessThan(1_000);
        expect(itself).not.toBe(false);
      }),
      { numRuns: 3_000, seed: 42 },
    );
  });

  it("takes any string", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.string({ maxLength: 300 }), (gold, prediction) => {
        expect([true, false, undefined]).toContain(gradeAnswer(gold, prediction));
      }),
      { numRuns: 1_000, seed: 42 },
    );
  });

  it("computes with integers as BigInt does", () => {
    fc.assert(
      fc.property(fc.bigInt(), fc.bigInt(), (a, b) => {
        expect(mathEqual(`$${a} + (${b})$`, `\\boxed{${a + b}}`)).toBe(true);
        expect(mathEqual(`$${a} \\cdot (${b})$`, `\\boxed{${a * b + 1n}}`)).toBe(false);
      }),
      { numRuns: 300, seed: 42 },
    );
  });
});
