import * as v from "valibot";
import { TOKEN_TYPES } from "../../gguf/token-types.ts";
import { refusedTokenizer } from "./refused-tokenizer.ts";

/** A token as llama.cpp's "llama" vocabularies have it. */
export interface ScoredToken {
  readonly text: string;
  readonly type: number;
  readonly score: number;
}

export interface SentencePieces {
  readonly tokens: ReadonlyMap<number, ScoredToken>;
  readonly unknownId: number | undefined;
  /** Texts begin with a space. */
  readonly hasPrefix: boolean;
}

const SPACE = "▁";
const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;

const id = v.pipe(v.number(), v.integer(), v.minValue(0));
const step = v.variant("type", [
  v.object({ type: v.literal("Prepend"), prepend: v.literal(SPACE) }),
  v.object({ type: v.literal("Replace"), pattern: v.object({ String: v.literal(" ") }), content: v.literal(SPACE) }),
]);
const normalizer = v.variant("type", [
  ...step.options,
  v.object({ type: v.literal("Sequence"), normalizers: v.array(step) }),
]);
const metaspace = v.object({
  type: v.literal("Metaspace"),
  replacement: v.literal(SPACE),
  prepend_scheme: v.optional(v.picklist(["always", "first", "never"])),
  add_prefix_space: v.optional(v.boolean(), true),
});
const schema = v.object({
  added_tokens: v.optional(v.array(v.object({ id, content: v.string(), special: v.optional(v.boolean(), false) })), []),
  normalizer: v.nullish(normalizer),
  pre_tokenizer: v.nullish(metaspace),
  model: v.object({
    type: v.literal("BPE"),
    byte_fallback: v.literal(true),
    unk_token: v.nullish(v.string()),
    vocab: v.record(v.string(), id),
    merges: v.array(v.union([v.string(), v.tuple([v.string(), v.string()])])),
  }),
});

/** True for byte pairs that fall back on bytes: a sentencepiece vocabulary as Hugging Face writes it. */
export function isSentencePiece(json: unknown): boolean {
  return v.is(v.object({ model: v.object({ type: v.literal("BPE"), byte_fallback: v.literal(true) }) }), json);
}

/**
 * A sentencepiece vocabulary, whose pieces are joined by score: the score that makes these merges.
 * @throws R1Error E_TOKENIZER for merges that no scores make, and normalization that sentencepiece does not have
 */
export function sentencePieces(json: unknown): SentencePieces {
  const parsed = v.safeParse(schema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw refusedTokenizer(
      `${v.getDotPath(issue) ?? "the file"}: ${issue.message}; expected a sentencepiece vocabulary as Llama has it`,
    );
  }
  const { added_tokens: added, model, normalizer: normal, pre_tokenizer: pre } = parsed.output;
  const steps = normal?.type === "Sequence" ? normal.normalizers : normal ? [normal] : [];
  const hasPrefix = pre
    ? (pre.prepend_scheme ?? (pre.add_prefix_space ? "always" : "never")) !== "never"
    : steps.some(({ type }) => type === "Prepend");
  const scores = scoresOf(model.vocab, model.merges.map(pairOf));
  const tokens = new Map<number, ScoredToken>();
  for (const [text, at] of Object.entries(model.vocab)) {
    const type = BYTE_TOKEN.test(text) ? TOKEN_TYPES.byte : TOKEN_TYPES.normal;
    tokens.set(at, { text, type, score: scores.get(text) ?? 0 });
  }
  for (const { id: at, content, special } of added) {
    const isUnknown = content === model.unk_token;
    const type = isUnknown ? TOKEN_TYPES.unknown : special ? TOKEN_TYPES.control : TOKEN_TYPES.userDefined;
    tokens.set(at, { text: content, type, score: 0 });
  }
  const unknownId = model.unk_token === null ? undefined : model.vocab[model.unk_token ?? ""];
  return { tokens, unknownId, hasPrefix };
}

type Pair = readonly [left: string, right: string];

function pairOf(merge: string | Pair): Pair {
  if (typeof merge !== "string") return merge;
  const [left = "", right = ""] = merge.split(" ", 2);
  return [left, right];
}

/**
 * The earlier a piece is made by a merge, the higher its score. Merges are every way to cut a piece in two that are pieces,
 * those of a piece together; pieces between whose merges others lie have one score.
 */
function scoresOf(vocab: Readonly<Record<string, number>>, merges: readonly Pair[]): ReadonlyMap<string, number> {
  const last = new Map(merges.map(([left, right], rank) => [left + right, rank]));
  const scores = new Map<string, number>();
  let [score, until] = [0, -1];
  merges.forEach(([left, right], rank) => {
    const piece = left + right;
    if (rank > until) score--;
    until = Math.max(until, last.get(piece) ?? rank);
    scores.set(piece, score);
  });
  const ways = Object.keys(vocab).reduce((sum, piece) => sum + waysOf(piece, vocab), 0);
  if (ways !== merges.length) {
    throw refusedTokenizer(
      `model.merges: found ${merges.length}; pieces joined by score have ${ways}, every way to cut one in two others`,
    );
  }
  return scores;
}

function waysOf(piece: string, vocab: Readonly<Record<string, number>>): number {
  let ways = 0;
  for (let cut = 1; cut < piece.length; cut++) {
    if (Object.hasOwn(vocab, piece.slice(0, cut)) && Object.hasOwn(vocab, piece.slice(cut))) ways++;
  }
  return ways;
}
