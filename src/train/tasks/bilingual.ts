import * as v from "valibot";
import type { Rng } from "../rng.ts";
import { answerOf, checkLevel, completionOf, sampleInSplit } from "./task.ts";
import type { Problem, Task } from "./task.ts";

/**
 * Word problems in English or Japanese. Demonstrations mix the two languages within a thought, as R1-Zero's thoughts did
 * (DeepSeek-R1, arXiv 2501.12948, section 2.3.2), so that a language-consistency reward has something to correct.
 */

const LARGEST = 99;
const LARGEST_CHANGE = 9;

/** Of demonstrations and pretraining lines, those whose every clause is in either language, by chance. */
export const MIXED = 0.5;

const LANGUAGES = ["en", "ja"] as const;
type Language = (typeof LANGUAGES)[number];

interface Verb {
  readonly operator: "+" | "-";
  readonly en: string;
  readonly ja: string;
}

const VERBS: readonly Verb[] = [
  { operator: "+", en: "gets", ja: "もらい" },
  { operator: "+", en: "finds", ja: "見つけ" },
  { operator: "-", en: "eats", ja: "食べ" },
  { operator: "-", en: "gives", ja: "あげ" },
];

const NAMES = [
  { en: "Ken", ja: "ケン" },
  { en: "Mia", ja: "ミア" },
] as const;

const THINGS = [
  { en: "apples", ja: "りんご" },
  { en: "eggs", ja: "たまご" },
] as const;

const TASK = {
  name: "bilingual",
  description: "A word problem in English or Japanese, to be thought through in the same language.",
  levels: [
    { name: "one", description: "one step" },
    { name: "two", description: "two steps" },
    { name: "three", description: "three steps" },
  ],
  defaultLevel: 1,
  maxCompletionLength: 48,
};

/** What happens, in no language. `bags` is how many there are of `start` things each; without it, `start` is all. */
const storySchema = v.object({
  start: v.number(),
  bags: v.optional(v.number()),
  changes: v.array(v.object({ verb: v.picklist(VERBS.map(({ en }) => en)), amount: v.number() })),
});
type Story = v.InferOutput<typeof storySchema>;

const columnsSchema = v.object({ language: v.picklist(LANGUAGES), story: storySchema, solution: v.number() });

function drawStory(rng: Rng, steps: number): Story {
  const bagged = steps > 1 && rng.chance(0.5);
  const start = bagged ? 2 + rng.int(8) : 2 + rng.int(LARGEST - 1);
  const bags = 2 + rng.int(8);
  let value = bagged ? start * bags : start;
  const changes = Array.from({ length: bagged ? steps - 1 : steps }, () => {
    const fits = (result: number): boolean => result >= 0 && result <= LARGEST;
    const possible = VERBS.flatMap((verb) =>
      Array.from({ length: LARGEST_CHANGE }, (_, i) => ({ verb, amount: i + 1 })),
    ).filter(({ verb, amount }) => fits(apply(value, verb, amount)));
    const { verb, amount } = rng.pick(possible);
    value = apply(value, verb, amount);
    return { verb: verb.en, amount };
  });
  return bagged ? { start, bags, changes } : { start, changes };
}

function apply(value: number, { operator }: Verb, amount: number): number {
  return operator === "+" ? value + amount : value - amount;
}

function verbOf(name: string): Verb {
  return VERBS.find(({ en }) => en === name) ?? { operator: "+", en: name, ja: name };
}

function draw(rng: Rng, steps: number): Problem {
  const story = drawStory(rng, steps);
  const language = rng.pick(LANGUAGES);
  const [name, thing] = [rng.pick(NAMES)[language], rng.pick(THINGS)[language]];
  const changes = story.changes.map((change) => clauseOf(language, change));
  const has = hasClause(language, story, thing);
  const prompt =
    language === "en"
      ? `${[name + has, ...changes].join(",")}. How many now?`
      : `${name}は${thing}を${[has, ...changes].join("、")}ました。今は何個ですか。`;
  const equations = workOut(story);
  return {
    // The arithmetic alone: another language, name or thing does not make another problem.
    key: `bilingual${equations.map(({ expression }) => expression).join(" ;")}`,
    prompt,
    columns: { language, story, solution: equations.at(-1)?.value },
  };
}

/** ` has 12 apples`, ` 4個ずつ 3袋持ち` */
function hasClause(language: Language, { start, bags }: Story, thing?: string): string {
  if (language === "ja") return bags === undefined ? ` ${start}個持ち` : ` ${start}個ずつ ${bags}袋持ち`;
  const counted = thing === undefined ? ` ${start}` : ` ${start} ${thing}`;
  return bags === undefined ? ` has${counted}` : ` has ${bags} bags of${counted}`;
}

/** ` gets 5`, ` 5個もらい` */
function clauseOf(language: Language, { verb, amount }: Story["changes"][number]): string {
  return language === "en" ? ` ${verb} ${amount}` : ` ${amount}個${verbOf(verb).ja}`;
}

interface Equation {
  /** ` 12 + 5` */
  readonly expression: string;
  readonly value: number;
}

/** The bags, if there are any, then each change. */
function workOut({ start, bags, changes }: Story): Equation[] {
  const equations: Equation[] = [];
  let value = start;
  if (bags !== undefined) {
    value = bags * start;
    equations.push({ expression: ` ${bags} * ${start}`, value });
  }
  for (const { verb, amount } of changes) {
    const { operator } = verbOf(verb);
    const expression = ` ${value} ${operator} ${amount}`;
    value = apply(value, verbOf(verb), amount);
    equations.push({ expression, value });
  }
  return equations;
}

/** Restates and computes: ` has 12, gets 5, 12 + 5 = 17, so 17.` or ` 12個持ち、 5個もらい、 12 + 5 = 17、つまり 17個。` */
function thoughtOf(rng: Rng, language: Language, story: Story): string {
  const mixed = rng.chance(MIXED);
  const next = (): Language => (mixed ? rng.pick(LANGUAGES) : language);
  const comma = (used: Language): string => (used === "en" ? "," : "、");
  const equations = workOut(story).map(({ expression, value }) => `${expression} = ${value}`);
  let used = next();
  let thought = hasClause(used, story) + comma(used);
  if (story.bags !== undefined) thought += (equations.shift() ?? "") + comma(used);
  for (const change of story.changes) {
    used = next();
    thought += clauseOf(used, change) + comma(used) + (equations.shift() ?? "") + comma(used);
  }
  const solution = workOut(story).at(-1)?.value ?? story.start;
  return thought + (next() === "en" ? ` so ${solution}.` : `つまり ${solution}個。`);
}

/** White space has a bound, so that hostile text costs nothing. */
export const NUMBER = /^\s{0,8}\d{1,2}\s{0,8}$/;

function check({ solution }: Problem["columns"], completion: string): boolean {
  const answer = answerOf(completion);
  return answer !== undefined && NUMBER.test(answer) && Number(answer) === solution;
}

/** @throws ValiError for a problem of another task */
function trace(rng: Rng, { columns }: Problem): string {
  const { language, story, solution } = v.parse(columnsSchema, columns);
  return completionOf(thoughtOf(rng, language, story), ` ${solution}`);
}

function pretrain(rng: Rng): string {
  const stories = Array.from({ length: 2 }, () => drawStory(rng, 1 + rng.int(TASK.levels.length)));
  return stories.map((story) => thoughtOf(rng, rng.pick(LANGUAGES), story)).join("");
}

export const bilingual: Task = {
  ...TASK,
  sample: (rng, split, level = TASK.defaultLevel) => {
    checkLevel(TASK, level);
    return sampleInSplit(split, () => draw(rng, level + 1));
  },
  instruction: ({ language }) =>
    language === "ja"
      ? "日本語で考え、答えの数だけを <answer> と </answer> の間に書いてください。"
      : "Think in English, and write only the number of the answer between <answer> and </answer>.",
  check,
  trace,
  pretrain,
};
