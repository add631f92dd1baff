/** Numbers written out in English, as the mathematics they mean. */

const SMALL = new Map(
  (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
    "eighteen nineteen"
  )
    .split(" ")
    .map((word, value) => [word, value]),
);
const TENS = new Map(
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((word, index) => [word, (index + 2) * 10]),
);
const SCALES = new Map([
  ["thousand", 1e3],
  ["million", 1e6],
  ["billion", 1e9],
]);
const PARTS = new Map([
  ["half", 2],
  ["halves", 2],
  ["quarter", 4],
  ["fourth", 4],
  ...["third", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"].map(
    (word, index) => [word, [3, 5, 6, 7, 8, 9, 10][index] ?? 0] as const,
  ),
]);
const MAX_WORDS = 16;

/** The value of "two thousand five hundred and one"; undefined for what is no number. */
function valueOf(words: readonly string[]): number | undefined {
  let [total, part, last] = [0, 0, Number.POSITIVE_INFINITY];
  if (words.length === 0 || words[0] === "and" || words.at(-1) === "and") return undefined;
  for (const [index, word] of words.entries()) {
    const [small, ten, scale] = [SMALL.get(word), TENS.get(word), SCALES.get(word)];
    if (small !== undefined) {
      // Digits one after another ("two five") are no number.
      if (last < 20 || (last < 100 && (small === 0 || small > 9)) || (small === 0 && words.length > 1))
        return undefined;
      [part, last] = [part + small, small < 10 ? 1 : 10];
    } else if (ten !== undefined) {
      if (last < 100) return undefined;
      [part, last] = [part + ten, 20];
    } else if (word === "hundred") {
      if (part === 0 || part > 99) return undefined;
      [part, last] = [part * 100, 100];
    } else if (scale !== undefined) {
      if (part === 0) return undefined;
      [total, part, last] = [total + part * scale, 0, 1000];
    } else if (word !== "and" || !/hundred|thousand|million/.test(words[index - 1] ?? "")) return undefined;
  }
  return total + part;
}

/** "twenty-one", "minus five", "two thirds" as mathematics; undefined for other words. */
export function mathOfNumberWords(text: string): string | undefined {
  const words = text
    .slice(0, 200)
    .toLowerCase()
    .split(/[\s-]+/)
    .filter((word) => word !== "");
  const isNegative = words[0] === "minus" || words[0] === "negative";
  if (text.trim().startsWith("-")) return undefined;
  const said = isNegative ? words.slice(1) : words;
  if (text.length > 199 || said.length === 0 || said.length > MAX_WORDS) return undefined;
  const sign = isNegative ? "-" : "";
  const value = valueOf(said);
  if (value !== undefined) return `${sign}${value}`;
  const part = PARTS.get((said.at(-1) ?? "").replace(/(?<=th|rd|er)s$/, ""));
  const [top, ...rest] = said.length === 2 ? said : [];
  const count = top === "a" ? 1 : SMALL.get(top ?? "");
  return part === undefined || !count || rest.length !== 1 ? undefined : `${sign}\\frac{${count}}{${part}}`;
}
