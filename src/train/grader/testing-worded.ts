import { between } from "./testing-numbers.ts";
import { math, plain } from "./testing-forms.ts";
import type { Maker } from "./testing-forms.ts";
import { distinct, shuffled, turned } from "./testing-structures.ts";

const UNITS: readonly (readonly [number: number, same: readonly string[], other: readonly string[]])[] = [
  [1, ["m", "\\text{ m}", "\\,\\mathrm{m}", " meters", " metres", "メートル"], ["cm", " km", "\\text{ mm}"]],
  [1000, ["km", "\\text{ km}", " kilometers", "公里"], ["m", " cm"]],
  [1, ["km/h", "\\text{ km/h}", "\\,\\mathrm{km/h}", " km/hr", " kilometers per hour"], ["m/s", " mph"]],
  [
    1,
    ["cm^2", "\\text{ cm}^2", "\\,\\mathrm{cm}^2", " cm²", " square centimeters", "平方センチメートル"],
    ["cm", " m^2", "\\text{ cm}^3"],
  ],
  [1, ["kg", "\\text{ kg}", " kilograms", "公斤"], ["g", " mg"]],
  [1, ["^\\circ", "°", " degrees", "度"], [" radians", "\\text{ rad}"]],
  [1, [" hours", "\\text{ hours}", "\\text{ h}", "時間"], [" minutes", "\\text{ s}"]],
  [1, ["°C", "^\\circ C", "\\,^\\circ\\mathrm{C}"], ["°F"]],
];

const quantity: Maker = (rng) => {
  const [, same, other] = rng.pick(UNITS);
  const [n, [first = "", ...rest]] = [between(rng, 2, 500), shuffled(rng, same)];
  return {
    equal: plain(`${n}${first}`, ...rest.map((unit) => `${n}${unit}`), String(n), `${n}.0${first}`),
    different: plain(
      ...other.map((unit) => `${n}${unit}`),
      `${n + 1}${first}`,
      String(n + 1),
      `${n}.5${rest[0] ?? ""}`,
    ),
  };
};

const COUNTERS = [
  "個",
  "人",
  "円",
  "本",
  "枚",
  "通り",
  "元",
  "个",
  "种",
  "岁",
  " dollars",
  " apples",
  " units",
  " people",
  " points",
];

const counted: Maker = (rng) => {
  const [n, counter] = [between(rng, 2, 900), rng.pick(COUNTERS)];
  return {
    equal: plain(
      String(n),
      `${n}${counter}`,
      `${n} ${counter.trim()}`,
      ...(/[a-z]/.test(counter)
        ? [`There are ${n}${counter}.`]
        : [`答えは${n}${counter}です。`, `所以是${n}${counter}。`]),
    ),
    different: plain(`${n + 1}${counter}`, String(n - 1), `${n}${counter} or ${n + 1}${counter}`, `${n}x`),
  };
};

const choice: Maker = (rng) => {
  const letters = ["A", "B", "C", "D", "E"];
  const [letter = "A", other = "B"] = shuffled(rng, letters);
  const forms = (l: string): string[] => [
    l,
    `(${l})`,
    `${l}.`,
    `${l}: the second one`,
    `${l}) 42`,
    `(${l}) none of these`,
    `\\text{(${l})}`,
    `\\textbf{${l}}`,
    `${l}. It is ${other} that fails`,
  ];
  return {
    equal: plain(...forms(letter)),
    different: plain(...forms(other).filter((form) => !form.includes("fails"))),
  };
};

const WORDS = ["Monday", "listen", "even", "Increasing", "parallel", "Yes", "triangle", "stop", "Evelyn", "circle"];

const word: Maker = (rng) => {
  const [right = "", wrong = ""] = shuffled(rng, WORDS);
  const mixed = shuffled(rng, Array.from(right.toLowerCase())).join("");
  const capital = right.charAt(0).toUpperCase() + right.slice(1).toLowerCase();
  return {
    equal: plain(right, right.toLowerCase(), right.toUpperCase(), capital, `\\text{${right}}`, `\\textbf{${capital}}`),
    different: plain(wrong, wrong.toUpperCase(), `\\text{${wrong}}`, ...(mixed === right.toLowerCase() ? [] : [mixed])),
  };
};

const order: Maker = (rng) => {
  const letters = shuffled(rng, ["A", "B", "C", "D"]);
  return {
    equal: plain(letters.join(""), letters.join(", "), `\\text{${letters.join("")}}`),
    different: plain(
      turned(letters).join(""),
      letters.toReversed().join(""),
      `\\text{${turned(letters).join("")}}`,
      turned(letters).join(", "),
      letters.slice(1).join(""),
    ),
  };
};

const moment: Maker = (rng) => {
  const [hour, minute, day] = [between(rng, 1, 12), between(rng, 10, 59), between(rng, 2, 28)];
  const [month = "", other = ""] = shuffled(rng, ["January", "March", "April", "August", "December"]);
  return rng.pick([
    {
      equal: plain(`${hour}:${minute}`, `\\text{${hour}:${minute}}`, `${hour} : ${minute}`.replaceAll(" ", "")),
      different: plain(
        `${hour + 1}:${minute}`,
        `${hour}:${(minute + 1) % 60 < 10 ? "00" : (minute + 1) % 60}`,
        `${hour}`,
        `${minute}`,
      ),
    },
    {
      equal: plain(`${month} ${day}`, `${month} ${day}th`, `${day} ${month}`, `\\text{${month} ${day}}`),
      different: plain(`${month} ${day + 1}`, `${other} ${day}`, `${day}`, `${month} ${day - 1}th`),
    },
  ]);
};

const ratio: Maker = (rng) => {
  const [a, b, c] = distinct(rng, 3, 9).map(Math.abs) as [number, number, number];
  const parts = [a, b, c + 9];
  return {
    equal: math(parts.join(":"), parts.join(" : "), parts.map((part) => 2 * part).join(":")),
    different: math(
      turned(parts).join(":"),
      [a, b, c + 10].join(":"),
      parts.slice(1).join(":"),
      parts.map((part) => part * part + 1).join(":"),
    ),
  };
};

const congruence: Maker = (rng) => {
  const m = between(rng, 3, 30);
  const r = between(rng, 0, m - 1);
  return {
    equal: math(`${r} \\pmod{${m}}`, `x \\equiv ${r} \\pmod{${m}}`, `${r + m} \\pmod{${m}}`, `${r} (\\bmod ${m})`),
    different: math(`${r + 1} \\pmod{${m}}`, `${r} \\pmod{${m + 1}}`, `x \\equiv ${r - 1} \\pmod{${m}}`),
  };
};

const family: Maker = (rng) => {
  const [a, b] = [between(rng, 2, 9), between(rng, 1, 9)];
  return {
    equal: math(
      `${a}n+${b}, n \\in \\mathbb{Z}`,
      `${a}k+${b}, k \\in \\mathbb{Z}`,
      `${b}+${a}n \\text{ for } n \\in \\mathbb{Z}`,
      `${a}n+${b}`,
    ),
    different: math(
      `${a + 1}n+${b}, n \\in \\mathbb{Z}`,
      `${a}n-${b}, n \\in \\mathbb{Z}`,
      `${a}n`,
      `${a}k+${b + 1}, k \\in \\mathbb{Z}`,
      String(a),
      String(b),
    ),
  };
};

export const WORDED: Readonly<Record<string, Maker>> = {
  quantity,
  counted,
  choice,
  word,
  order,
  moment,
  ratio,
  congruence,
  family,
};
