import { CHAR_OF_BYTE } from "../../text/byte-level.ts";
import { ANSWER_END, ANSWER_START, THINK_END, THINK_START } from "../../text/tags.ts";
import { tinyTokenizerConfig } from "../../text/tiny-tokenizer.ts";
import type { TinyAddedToken, TinyTokenizerConfig } from "../../text/tiny-tokenizer.ts";

/**
 * The tokenizer of the small models that are trained here: each number from 0 to 99, each operator and each word of the
 * tasks is one token, its leading space included (` 27`), and bytes write everything else, so that any text survives.
 *
 * A Unigram model over the byte-level alphabet: unlike BPE it needs no merges, whose intermediate pieces would make the
 * vocabulary twice as large, and it finds the words of Japanese text, which has no spaces. There is no `<unk>`: the bytes
 * cost a model of 128 channels and four layers 4 % of its size, and with them no prompt is ever lost.
 *
 * A number without a space before it is written digit by digit; the tasks' texts never have one, which is why their
 * prompts begin with a word.
 */

const NUMBERS = Array.from({ length: 100 }, (_, n) => ` ${n}`);

const SYMBOLS = [" +", " -", " *", " /", " =", " ;"];

const COMMANDS = ["make", " from", "add", " ok"];

const ENGLISH = [
  ..."Ken Mia".split(" "),
  ..."has apples eggs bags of gets finds eats gives so now How many".split(" ").map((word) => ` ${word}`),
];

const JAPANESE =
  "ケン ミア は りんご たまご を 個 ずつ 袋 持ち もらい 見つけ 食べ あげ ました 今 何個 ですか つまり 、 。".split(" ");

/** Pieces of one token each; all but these and single bytes is written in several. */
export const NANO_WORDS: readonly string[] = [...NUMBERS, ...SYMBOLS, ...COMMANDS, ...ENGLISH, ...JAPANESE];

/** In UTF-8, no text has these (RFC 3629). */
const isTextByte = (byte: number): boolean => byte !== 0xc0 && byte !== 0xc1 && byte < 0xf5;

/** A text's best segmentation has the fewest bytes, then the fewest words. */
const WORD_SCORE = -1;
const BYTE_SCORE = -10;

/** The tags of an answer, then R1's own in R1's order and with R1's flags: only BOS and EOS are special. */
const ADDED: readonly { readonly content: string; readonly special: boolean }[] = [
  { content: ANSWER_START, special: false },
  { content: ANSWER_END, special: false },
  { content: tinyTokenizerConfig().eos_token, special: true },
  { content: "<｜User｜>", special: false },
  { content: "<｜Assistant｜>", special: false },
  { content: tinyTokenizerConfig().bos_token, special: true },
  { content: THINK_START, special: false },
  { content: THINK_END, special: false },
];

/** The parts of a Unigram `tokenizer.json`. */
export interface NanoTokenizerJson {
  readonly version: string;
  readonly truncation: null;
  readonly padding: null;
  readonly added_tokens: readonly TinyAddedToken[];
  readonly normalizer: null;
  readonly pre_tokenizer: object;
  readonly post_processor: object;
  readonly decoder: object;
  readonly model: {
    readonly type: "Unigram";
    readonly unk_id: null;
    readonly vocab: readonly (readonly [piece: string, score: number])[];
    readonly byte_fallback: boolean;
  };
}

/**
 * `tokenizer.json`: the words, the bytes that UTF-8 uses, the added tokens. As R1's own, its post-processor adds BOS,
 * which `Tokenizer.encode` does not.
 */
export function nanoTokenizerJson(): NanoTokenizerJson {
  const bytes = CHAR_OF_BYTE.filter((_, byte) => isTextByte(byte)).toSorted();
  const vocab = [
    ...NANO_WORDS.map((word) => [byteLevel(word), WORD_SCORE] as const),
    ...bytes.map((char) => [char, BYTE_SCORE] as const),
  ];
  const added_tokens = ADDED.map(({ content, special }, i) => ({
    id: vocab.length + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  }));
  const bos = tinyTokenizerConfig().bos_token;
  const bosPart = { SpecialToken: { id: bos, type_id: 0 } };
  const sequence = { Sequence: { id: "A", type_id: 0 } };
  const bosIds = added_tokens.flatMap(({ id, content }) => (content === bos ? [id] : []));
  const bytesOnly = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens,
    normalizer: null,
    pre_tokenizer: bytesOnly,
    post_processor: {
      type: "TemplateProcessing",
      single: [bosPart, sequence],
      pair: [bosPart, sequence, bosPart, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: { [bos]: { id: bos, ids: bosIds, tokens: [bos] } },
    },
    decoder: bytesOnly,
    model: { type: "Unigram", unk_id: null, vocab, byte_fallback: false },
  };
}

/** `tokenizer_config.json` as R1-Distill has it: its tokens and its chat template's behaviour. */
export function nanoTokenizerConfig(): TinyTokenizerConfig {
  return tinyTokenizerConfig();
}

/** A text in the alphabet of byte-level vocabularies. */
function byteLevel(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => CHAR_OF_BYTE[byte]).join("");
}
