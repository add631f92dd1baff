import { describe, expect, it } from "vitest";
import { gradeAnswer } from "./grade.ts";

const LENGTH = 100_000;
const LIMIT_MS = 50;

/** What every part of the grader looks for, many times over: each may make it search again from every place. */
const PIECES = [
  ..."9|1 |1,|1/|((((|[[[[|\\boxed{|\\boxed{1} |\\boxed{1},|\\frac{|\\frac12|\\sqrt|$|$1$ |\\(|\\begin{align}|\\begin{pmatrix}1&".split(
    "|",
  ),
  ..."answer is |answer is 5 |final answer: 3. |<answer>|<answer>5</answer>|<think>|</think>|<think></think>|####|#### 5".split(
    "|",
  ),
  ..." |a|a |*|**|**a|`|_|__a|x+|-|x^|\\pm 1 |\\{1,|a_{|!|\\text{|\\text{a} |\\mathrm{|{|}|{}|{,}|1{,}2|\\,|1\\,234|~|\\\\|\\".split(
    "|",
  ),
  ..."½|²|₂|√|√2|∛|，|１|分の|1分の|二|十|答えは|答えは1 |5と|5と3 |は|。|です|所以|答案是|°|\u0000|\ud800|é".split(
    "|",
  ),
  ..."A. |(A) |1:|11:00 |7,|12,34,|1'234'|0.3|0.(3)|0.333... |1.5e5|\\overline{3}|\\dot3|m/s|5 m |5 km/h |1 or |1 and 2 or |1 a, ".split(
    "|",
  ),
  ..."(not 5) |not 5, |instead of |for all |5 for all |mod 3|(mod 3)|x=1, |x=1 or |]0,1[|\\cup|\\mid|\\sum_{i=1}^{99}|10 x 10^|<<|\n|\n\n|. A".split(
    "|",
  ),
  ..."isn't 5 |n't be |not be equal to |neither 5 nor |less than 5 |at least $|one of 3, 4, |5, |5 or more |maybe 5, |could be |5 is wrong. |5 is |$5$ is ".split(
    "|",
  ),
  ..."可能是5，|不是5|不是|5是错误的|小于5|5ではない|5では|5以上|5、|5かもしれない|5のいずれか|マイナス5|负|minus 5 |2又1/2|two |twenty-|ratio 5 to |5C|\\text{not}|x = 5 ".split(
    "|",
  ),
  "{x|",
  "|",
];

/** Short answers that take long to work out. */
const HEAVY = [
  `${"\\sqrt{2}+".repeat(150)}1`,
  `${"\\ln 2+".repeat(200)}1`,
  `${"x^{12}\\sin(x)+".repeat(40)}1`,
  "\\sum_{i=1}^{400}\\sum_{j=1}^{400}\\sum_{k=1}^{400} ijk",
  "\\sum_{n=1}^{10^{300}} n!",
  `${"20000!+".repeat(100)}1`,
  "\\binom{20000}{10000}",
  `${"9^{9^{9}}+".repeat(80)}1`,
  "9^{9^{9^{9}}}",
  "2^{-10^{400}}",
  `\\{${"1.5,".repeat(99)}1\\}`,
  Array.from({ length: 99 }, (_, index) => `x^{${index}}\\sin x`).join(","),
  Array.from({ length: 99 }, (_, index) => `\\sqrt{${index}}`).join(","),
  `${"\\{1,\\{2,".repeat(18)}3${"\\}\\}".repeat(18)}`,
  `${"9".repeat(399)}/${"7".repeat(399)}+1/${"8".repeat(399)}`,
  `${`1/${"7".repeat(80)}+`.repeat(20)}1`,
  "\\begin{pmatrix}1&1\\\\1&1\\end{pmatrix}".repeat(30),
  `${"(1,2)\\cup".repeat(90)}(1,2)`,
  `${"x\\ne 1,".repeat(90)}x>2`,
  `${"e^{\\pi}+".repeat(100)}1`,
];

const filled = (piece: string, length: number): string =>
  piece.repeat(Math.ceil(length / piece.length)).slice(0, length);

const TEXTS = [
  ...PIECES.map((piece) => filled(piece, LENGTH)),
  ...PIECES.map((piece) => `\\boxed{${filled(piece, 1_900)}}`),
  ...PIECES.filter((_, index) => index % 6 === 0).map(
    (piece) => `<think>${filled(piece, LENGTH)}</think>$${filled(piece, 1_900)}$`,
  ),
  ...HEAVY.map((answer) => `${" ".repeat(LENGTH)}\\boxed{${answer}}`),
];

/** The fastest of some tries, in milliseconds: what else the machine does is not the grader's. */
function timeOf(gold: string, prediction: string): number {
  let best = LIMIT_MS * 10;
  for (let i = 0; i < 12 && best > LIMIT_MS / 2 && i * best < 40 * LIMIT_MS; i++) {
    const start = performance.now();
    gradeAnswer(gold, prediction);
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

describe("any text of 100 KB", () => {
  it(`is graded within ${LIMIT_MS} ms`, () => {
    const times = TEXTS.flatMap((text) =>
      [
        [text, `${text} `],
        [text, text.replace(/[1-9]/, "8")],
        ["12", text],
        ["\\{x^2+\\sqrt{x}, (3, 4)\\}", text],
      ].map(([gold = "", prediction = ""]) => ({ ms: timeOf(gold, prediction), text: text.trim().slice(0, 40) })),
    );
    const slowest = times.toSorted((a, b) => b.ms - a.ms);
    process.stdout.write(
      `slowest of ${times.length}: ${slowest[0]?.ms.toFixed(1)} ms for ${JSON.stringify(slowest[0]?.text)}\n`,
    );
    expect(slowest.filter(({ ms }) => ms > LIMIT_MS)).toEqual([]);
  });
});
