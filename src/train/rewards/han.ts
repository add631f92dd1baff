/**
 * Tells Japanese from Chinese in text of Han characters, by what each of the two languages writes. No table of its own: the
 * national standards are one, and every platform has them as encodings (WHATWG Encoding Standard).
 *
 * - JIS X 0208, whose level 1 is the 2965 kanji of modern Japanese (level 2 has rare and old forms);
 * - GB 2312, the simplified characters of mainland China;
 * - Big5's first plane, the 5401 frequent traditional characters of Taiwan.
 *
 * 図 and 対 are in the first alone, 这 and 们 in the second, 嗎 and 說 in the third. A character in several says nothing by
 * itself, but a text has to be written in one of them: 会議 is neither simplified (議) nor traditional (会), so it is Japanese.
 */

/** A rectangle of two-byte codes. */
interface Codes {
  readonly encoding: string;
  readonly lead: readonly [number, number];
  readonly trail: readonly [number, number];
}

/** Also in Python, which has the same encodings by these names. */
export const CHARACTER_SETS = {
  jisLevel1: { encoding: "euc-jp", lead: [0xb0, 0xcf], trail: [0xa1, 0xfe] },
  jisLevel2: { encoding: "euc-jp", lead: [0xd0, 0xf4], trail: [0xa1, 0xfe] },
  simplified: { encoding: "gbk", lead: [0xb0, 0xf7], trail: [0xa1, 0xfe] },
  traditional: { encoding: "big5", lead: [0xa4, 0xc6], trail: [0x40, 0xfe] },
} as const satisfies Readonly<Record<string, Codes>>;

type SetName = keyof typeof CHARACTER_SETS;

/** The block of the standards' characters; marks such as 々, which some tables have among them, lie outside. */
export const IDEOGRAPH = /[\u4E00-\u9FFF]/;

function charactersOf({ encoding, lead, trail }: Codes): ReadonlySet<string> {
  const decoder = new TextDecoder(encoding);
  const found = new Set<string>();
  for (let first = lead[0]; first <= lead[1]; first++) {
    for (let second = trail[0]; second <= trail[1]; second++) {
      const character = decoder.decode(Uint8Array.of(first, second));
      if (IDEOGRAPH.test(character)) found.add(character);
    }
  }
  return found;
}

let sets: Readonly<Record<SetName, ReadonlySet<string>>> | undefined;

/** Some milliseconds, once. */
function characterSets(): Readonly<Record<SetName, ReadonlySet<string>>> {
  sets ??= {
    jisLevel1: charactersOf(CHARACTER_SETS.jisLevel1),
    jisLevel2: charactersOf(CHARACTER_SETS.jisLevel2),
    simplified: charactersOf(CHARACTER_SETS.simplified),
    traditional: charactersOf(CHARACTER_SETS.traditional),
  };
  return sets;
}

/** What a sign of kana, a character of another language, and a word or comma of one of the two are worth. */
export const WORTH = { kana: 2, foreign: 2, rare: 1, word: 1, comma: 1 } as const;

/** Kana, and the marks that only Japanese puts between kanji. */
export const KANA = /[\p{Script=Hiragana}\p{Script=Katakana}\u3099-\u309A々〆]/gu;

/**
 * Words that Chinese sentences, and above all those of calculations, have some of: of one character, which Japanese has in
 * compounds alone, and of two, which Japanese does not write though it has their characters (到 as a verb's end, 百 with 一).
 */
export const CHINESE_WORDS =
  /所以|因此|如果|如下|可以|可知|等於|等于|[大小多少高低][於于]|[得達找看做回直升]到|求出|求得|得出|得知|由此|故此|其中|其次|首先|然後|然后|先求|先算|一共有|一百|[二三四五六七八九十百千]天|今天|明天|昨天|上升|股市|股票|化簡|[另的了是在我你您他她它們们这這那哪也就很吗嗎呢吧啊么麼没沒把被给让讓说說还還个為为與与或已]/g;
/** Compounds of these characters that Japanese has. */
export const JAPANESE_COMPOUNDS =
  /完了|終了|修了|了解|了承|目的|標的|的中|是正|是非|現在|存在|在庫|在宅|滞在|所在|不在|在学|在籍|在日|在留|実在|健在|駐在|自我|我慢|怪我|他人|他社|他国|就任|就職|就業|就学|成就|把握|被害|被告|被災|被曝|与野党|与党|関与|給与|授与|寄与|説得/g;
/** Japanese has 、 where Chinese has ，, and 、 only between the items of a list. */
export const CHINESE_COMMA = "，";
export const JAPANESE_COMMA = "、";

/**
 * How much speaks for Japanese in a sentence (above 0), or for Chinese (below). 0 where nothing does: 東京 and 北京大学 are
 * written alike in both.
 */
export function japaneseEvidence(sentence: string): number {
  const { jisLevel1, jisLevel2, simplified, traditional } = characterSets();
  const cost = { ja: 0, hans: 0, hant: 0 };
  for (const character of sentence) {
    const [inJa, inHans, inHant] = [jisLevel1.has(character), simplified.has(character), traditional.has(character)];
    const isRare = jisLevel2.has(character);
    if (!inJa && !isRare && !inHans && !inHant) continue;
    cost.ja += inJa ? 0 : isRare ? WORTH.rare : WORTH.foreign;
    cost.hans += inHans ? 0 : WORTH.foreign;
    cost.hant += inHant ? 0 : WORTH.foreign;
  }
  const kana = count(sentence, KANA);
  const words = count(sentence.replace(JAPANESE_COMPOUNDS, " "), CHINESE_WORDS);
  const evidence =
    WORTH.kana * kana + Math.min(cost.hans, cost.hant) - cost.ja - WORTH.word * words + commaEvidence(sentence);
  // Kana that stand against as much Chinese are Japanese all the same.
  return evidence === 0 && kana > 0 ? 1 : evidence;
}

function commaEvidence(sentence: string): number {
  if (sentence.includes(CHINESE_COMMA)) return -WORTH.comma;
  return sentence.includes(JAPANESE_COMMA) ? WORTH.comma : 0;
}

export function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
