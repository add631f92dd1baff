import { CHAR_OF_BYTE } from "./byte-level.ts";

/**
 * A small tokenizer of R1's kind: byte-level BPE with Qwen2's pre-tokenizer, R1's special tokens with R1's flags, and a
 * chat template that behaves as R1-Distill's. It can write any text; tests and the small models that come with the
 * project use it.
 */

/** Few, and each with a use: "Wait" (budget forcing) is one token, "👋"'s bytes do not each stand alone. */
const TINY_MERGES = ["W a", "i t", "Wa it", "Ġ Wait", "t h", "th e", "Ġ the", "Ġ a", "i n", "e r", "o n", "ð Ł"];

/** Qwen2's, which splits numbers into digits. */
const SPLIT_PATTERN =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const BOS = "<｜begin▁of▁sentence｜>";
const EOS = "<｜end▁of▁sentence｜>";

/** In R1's order; only BOS and EOS are special, so that skipping special tokens leaves roles and tags. */
const TINY_ADDED: readonly { readonly content: string; readonly special: boolean }[] = [
  { content: EOS, special: true },
  { content: "<｜User｜>", special: false },
  { content: "<｜Assistant｜>", special: false },
  { content: BOS, special: true },
  { content: "<think>", special: false },
  { content: "</think>", special: false },
];

/**
 * BOS and the last system message, then the turns; a reply in the history without its thought; and a generation prompt
 * that opens the next thought.
 */
const TINY_TEMPLATE = `
{%- set ns = namespace(system='') -%}
{%- for message in messages if message.role == 'system' -%}
  {%- set ns.system = message.content -%}
{%- endfor -%}
{{- bos_token + ns.system -}}
{%- for message in messages -%}
  {%- if message.role == 'user' -%}
    {{- '<｜User｜>' + message.content -}}
  {%- elif message.role == 'assistant' -%}
    {{- '<｜Assistant｜>' + message.content.split('</think>')[-1] + eos_token -}}
  {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
  {{- '<｜Assistant｜><think>\\n' -}}
{%- endif -%}
`.trim();

export interface TinyAddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: boolean;
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  readonly normalized: boolean;
  readonly special: boolean;
}

/** The parts of a `tokenizer.json` that tests look into or replace. */
export interface TinyTokenizerJson {
  readonly version: string;
  readonly added_tokens: readonly TinyAddedToken[];
  readonly normalizer: object;
  readonly pre_tokenizer: object;
  readonly post_processor: object;
  readonly decoder: object;
  readonly model: {
    readonly type: "BPE";
    readonly vocab: Readonly<Record<string, number>>;
    readonly merges: readonly string[];
  };
}

/**
 * `tokenizer.json`: 256 bytes (ids 0 to 255, in the order of published vocabularies), the merges, then R1's added tokens.
 * As R1's own, its post-processor adds BOS, which `Tokenizer.encode` does not.
 */
export function tinyTokenizerJson(): TinyTokenizerJson {
  const pieces = [...CHAR_OF_BYTE.toSorted(), ...TINY_MERGES.map((merge) => merge.replace(" ", ""))];
  const added_tokens = TINY_ADDED.map(({ content, special }, i) => ({
    id: pieces.length + i,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special,
  }));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false };
  const sequence = { Sequence: { id: "A", type_id: 0 } };
  const bos = { SpecialToken: { id: BOS, type_id: 0 } };
  return {
    version: "1.0",
    added_tokens,
    normalizer: { type: "NFC" },
    pre_tokenizer: {
      type: "Sequence",
      pretokenizers: [
        { type: "Split", pattern: { Regex: SPLIT_PATTERN }, behavior: "Isolated", invert: false },
        byteLevel,
      ],
    },
    post_processor: {
      type: "TemplateProcessing",
      single: [bos, sequence],
      pair: [bos, sequence, bos, { Sequence: { id: "B", type_id: 1 } }],
      special_tokens: {
        [BOS]: {
          id: BOS,
          ids: added_tokens.flatMap(({ id, content }) => (content === BOS ? [id] : [])),
          tokens: [BOS],
        },
      },
    },
    decoder: byteLevel,
    model: {
      type: "BPE",
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges: TINY_MERGES,
    },
  };
}

/** The fields of a `tokenizer_config.json` that matter here. */
export interface TinyTokenizerConfig {
  readonly add_bos_token: boolean;
  readonly add_eos_token: boolean;
  readonly bos_token: string;
  readonly eos_token: string;
  readonly pad_token: string;
  readonly clean_up_tokenization_spaces: boolean;
  readonly tokenizer_class: string;
  readonly chat_template: string;
}

/** `tokenizer_config.json` as R1-Distill has it, `add_bos_token` included. */
export function tinyTokenizerConfig(): TinyTokenizerConfig {
  return {
    add_bos_token: true,
    add_eos_token: false,
    bos_token: BOS,
    eos_token: EOS,
    pad_token: EOS,
    clean_up_tokenization_spaces: false,
    tokenizer_class: "PreTrainedTokenizerFast",
    chat_template: TINY_TEMPLATE,
  };
}
