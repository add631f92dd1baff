/** Fractions, numerals and sentences of Japanese and Chinese as the mathematics they hold. */

const DIGITS = new Map(
  Array.from("〇零一二三四五六七八九两兩", (sign, index) => [
    sign,
    [0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2, 2][index] ?? 0,
  ]),
);
const TENS = new Map([
  ["十", 10],
  ["百", 100],
  ["千", 1_000],
]);
const NUMERAL = "[〇零一二三四五六七八九两兩十百千万]{1,12}";

/** The value of 三十五 or 二〇二四; undefined for what is none. */
function numeralValue(text: string): number | undefined {
  if (text === "") return undefined;
  const [head, tail] = text.split("万");
  if (tail !== undefined) {
    const [high, low] = [numeralValue(head ?? ""), tail === "" ? 0 : numeralValue(tail)];
    return high === undefined || low === undefined ? undefined : high * 10_000 + low;
  }
  if (!/[十百千]/.test(text)) return Number(Array.from(text, (sign) => DIGITS.get(sign) ?? Number.NaN).join(""));
  let [total, digit] = [0, -1];
  for (const sign of text) {
    const ten = TENS.get(sign);
    if (ten === undefined) digit = DIGITS.get(sign) ?? Number.NaN;
    else {
      total += ten * (digit < 0 ? 1 : digit);
      digit = -1;
    }
  }
  return total + Math.max(digit, 0);
}

const PART = String.raw`(?:\d{1,20}(?:\.\d{1,20})?|${NUMERAL})`;
/** B of A parts: 2分の1 and 二分之一 are one half. */
const PARTS = new RegExp(
  String.raw`(?:(\d{1,20}|${NUMERAL})\s?[と又]\s?)?(${PART})\s?(?:分の|分之)\s?([-−]?${PART})`,
  "g",
);
/** A numeral alone, or with what it counts. */
const ALONE = new RegExp(`^(${NUMERAL})(?:个|個|种|種|つ|人|名|元|円|本|枚|通り|次|条|只|倍|岁|歳)?$`);

const written = (part: string): string => {
  const sign = /^[-−]/.test(part) ? "-" : "";
  const digits = part.replace(/^[-−]/, "");
  return /^\d/.test(digits) ? sign + digits : `${sign}${numeralValue(digits) ?? digits}`;
};

/** `2分の1` and `百分之五` as fractions; a text that is one numeral as its number. */
export function eastAsianNumbers(text: string): string {
  const whole = text.trim().replace(/^(?:マイナス|[负負]|零下)/, "");
  const value = numeralValue(ALONE.exec(whole)?.[1] ?? "");
  if (value !== undefined && Number.isFinite(value)) return `${whole === text.trim() ? "" : "-"}${value}`;
  return withSigns(text.includes("分") ? withFractions(text) : text);
}

const SIGN_WORDS = /us|tive|又|マイナス|プラス|[负負]|零下/;

/** "minus 5", マイナス5 and 负5 as −5; `2又1/3` as a mixed number. */
function withSigns(text: string): string {
  if (!SIGN_WORDS.test(text)) return text;
  return text
    .replaceAll(/(?:正[负負]|プラスマイナス|(?<![a-zA-Z])[Pp]lus or minus\s)(?=[\d.\\$])/g, "\\pm ")
    .replaceAll(/(?<=\d)\$?\s?又\s?\$?(?=\d{1,20}\s?\/\s?\d|\\[dt]?frac)/g, " ")
    .replaceAll(/(?<=[\d)}$]\s?)(?:minus|マイナス)\s?(?=[\d.\\$])/g, "- ")
    .replaceAll(
      /(?:\\text\s?\{\s?)?(?<![a-zA-Z])(?:[Mm]inus|[Nn]egative)\s?\}?\s?(?=\$?[\d.]|\\(?:[dt]?frac|sqrt|pi))/g,
      "-",
    )
    .replaceAll(/(?:マイナス|[负負]の?|零下)\s?(?=[\d.]|\\(?:[dt]?frac|sqrt|pi))/g, "-")
    .replaceAll(/(?:マイナス|[负負])\s?\$(?=[\d.]|\\(?:[dt]?frac|sqrt|pi))/g, "$-")
    .replaceAll(/(?:プラス|(?<![a-zA-Z\d)}$] ?)[Pp]lus\s)(?=[\d.])/g, "");
}

function withFractions(text: string): string {
  return text.replaceAll(PARTS, (_, units: string | undefined, bottom: string, top: string) => {
    return `${units === undefined ? "" : `${written(units)} `}\\frac{${written(top)}}{${written(bottom)}}`;
  });
}

/** A run of Han, kana or Hangul. */
export const EAST_ASIAN_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]{1,400}/uy;
export const EAST_ASIAN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;

/** What stands between two answers. */
export const EAST_ASIAN_SEPARATORS: ReadonlyMap<string, "and" | "or"> = new Map([
  ...["と", "および", "及び", "かつ", "また", "和", "与", "與", "及", "且"].map((word) => [word, "and"] as const),
  ...["または", "又は", "か", "もしくは", "或", "或者", "或是", "还是", "還是"].map((word) => [word, "or"] as const),
]);

/** The end of a sentence that states a value: "… is". */
const COPULA =
  /(?:です|でした|となります|となりました|となる|となった|になります|になりました|になる|になった|である|であります|だ|とわかります|とわかる|が答えです|が答え|が正解です|が正解|が正しいです|が正しい|を得る|を得ます|입니다|이다)\s*[。．.!！]?\s*$/u;
/** What leads to the value: a topic particle, "is", a colon. */
const TOPIC =
  /(?<!また)は|[がを：]|:(?!\s?\d)|(?<![\d\s]):|答案(?:是|为|為)?|(?:等于|等於|就是|(?<![还還])是|[为為])/gu;

/** The value in a short sentence of Japanese or Chinese: what stands between its topic and its copula. */
export function valueOfSentence(sentence: string): string {
  const body = sentence
    .trim()
    .replace(/[。．.!！\s]{1,9}$/u, "")
    .replace(COPULA, "");
  const topic = [...body.matchAll(TOPIC)].at(-1);
  const value = (topic ? body.slice(topic.index + topic[0].length) : body).replace(/^[^\uE000]{0,2000}\uE000/, "");
  return value
    .trim()
    .replace(/^(?:(?:因此|所以|つまり|すなわち|よって|したがって|约|約|大约|およそ|第)[、,，]?\s*){1,3}/u, "");
}
