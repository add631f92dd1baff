import {
  CHARACTER_SETS,
  CHINESE_COMMA,
  CHINESE_WORDS,
  IDEOGRAPH,
  JAPANESE_COMMA,
  JAPANESE_COMPOUNDS,
  KANA,
  WORTH,
} from "../han.ts";
import {
  CJK,
  COMMAND,
  KANA_PART,
  LANGUAGES,
  LATIN,
  LETTER_WORDS,
  NOTATION,
  SENTENCE_END,
} from "../language-consistency.ts";
import { pythonClass, pythonPattern, pythonString } from "./literals.ts";

/** A class of the characters that an expression for one sign matches, whatever its flags for searching. */
function classOf({ source }: RegExp): string {
  return `"[${pythonClass(new RegExp(source.replace(/\+$/, ""), "u"))}]"`;
}

/** The words of a text by language in Python, as \`language-consistency.ts\` and \`han.ts\` count them. */
export function pythonLanguages(): string {
  const { jisLevel1, jisLevel2, simplified, traditional } = CHARACTER_SETS;
  const set = ({
    encoding,
    lead,
    trail,
  }: typeof jisLevel1 | typeof jisLevel2 | typeof simplified | typeof traditional) =>
    `characters_of(${pythonString(encoding)}, ${lead.join(", ")}, ${trail.join(", ")})`;
  return `
LATIN = re.compile(${classOf(LATIN)})
CJK = re.compile(${classOf(CJK)})
CJK_RUN = re.compile(CJK.pattern + "+")
KANA = re.compile(${classOf(KANA)})
KANA_PART = re.compile(${classOf(KANA_PART)} "+")
IDEOGRAPH = ${pythonPattern(IDEOGRAPH)}
NOTATION = [
${[...NOTATION, COMMAND].map((pattern) => `    ${pythonPattern(pattern)},`).join("\n")}
]
SENTENCE_END = ${pythonPattern(SENTENCE_END)}
CHINESE_WORDS = ${pythonPattern(CHINESE_WORDS)}
JAPANESE_COMPOUNDS = ${pythonPattern(JAPANESE_COMPOUNDS)}


def characters_of(encoding, first_lead, last_lead, first_trail, last_trail):
    """The Han characters of a rectangle of two-byte codes."""
    leads, trails = range(first_lead, last_lead + 1), range(first_trail, last_trail + 1)
    found = [bytes((lead, trail)).decode(encoding, "ignore") for lead in leads for trail in trails]
    return {sign for sign in found if len(sign) == 1 and IDEOGRAPH.match(sign)}


# Kanji of modern Japanese and rare ones (JIS X 0208), simplified (GB 2312) and frequent traditional characters (Big5).
JIS_LEVEL_1 = ${set(jisLevel1)}
JIS_LEVEL_2 = ${set(jisLevel2)}
SIMPLIFIED = ${set(simplified)}
TRADITIONAL = ${set(traditional)}


def japanese_evidence(sentence):
    """How much speaks for Japanese in a sentence (above 0), or for Chinese (below)."""
    japanese = hans = hant = 0
    for sign in sentence:
        known, rare = sign in JIS_LEVEL_1, sign in JIS_LEVEL_2
        if not (known or rare or sign in SIMPLIFIED or sign in TRADITIONAL):
            continue
        japanese += 0 if known else ${WORTH.rare} if rare else ${WORTH.foreign}
        hans += 0 if sign in SIMPLIFIED else ${WORTH.foreign}
        hant += 0 if sign in TRADITIONAL else ${WORTH.foreign}
    kana = len(KANA.findall(sentence))
    words = len(CHINESE_WORDS.findall(JAPANESE_COMPOUNDS.sub(" ", sentence)))
    evidence = ${WORTH.kana} * kana + min(hans, hant) - japanese - ${WORTH.word} * words
    if ${pythonString(CHINESE_COMMA)} in sentence:
        evidence -= ${WORTH.comma}
    elif ${pythonString(JAPANESE_COMMA)} in sentence:
        evidence += ${WORTH.comma}
    return 1 if evidence == 0 and kana > 0 else evidence


def count_words(text):
    """Words by language; a character of a language without spaces counts as a word."""

    def kind(sign):
        if LATIN.match(sign):
            return "a"
        if CJK.match(sign):
            return "j"
        category = unicodedata.category(sign)[0]
        return "m" if category == "M" else "o" if category == "L" else "'" if sign in "'\\u2019-" else " "

    shape = "".join(kind(sign) for sign in text)
    latin = [text[found.start() : found.end()] for found in re.finditer("a[am]*(?:'a[am]*)*", shape)]
    words = dict.fromkeys(("ja", "zh", "cjk"), 0)
    words["en"] = sum(
        word in ${pythonString(LETTER_WORDS)} or any(len(part) > 1 for part in word.split("-")) for word in latin
    )
    words["other"] = len(re.findall("o[om]*", shape))
    sentences = [(CJK_RUN.findall(one), one) for one in SENTENCE_END.split(text)]
    judged = [(runs, japanese_evidence(one)) for runs, one in sentences if runs]
    everything = sum(evidence for _, evidence in judged)
    for runs, evidence in judged:
        decided = evidence or everything
        for run in runs:
            kana = sum(len(part) for part in KANA_PART.findall(run)) if decided < 0 else 0
            words["ja" if decided > 0 else "zh" if decided < 0 else "cjk"] += len(run) - kana
            words["ja"] += kana
    return words


def language_share(text, language):
    """Words of the language over all words, as far as they can be told; None where they cannot, 1 where there are none."""
    for pattern in NOTATION:
        text = pattern.sub(" ", text)
    words = count_words(text)
    untold = words.pop("cjk")
    total = sum(words.values()) + (untold if language == "en" else 0)
    if total == 0:
        return None if untold else 1.0
    return words[language] / total


LANGUAGES = (${LANGUAGES.map((language) => pythonString(language)).join(", ")})
`;
}
