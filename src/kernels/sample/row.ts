import { R1Error } from "../../errors.ts";

/** How a token is chosen; the names and the order of the steps are Hugging Face transformers'. */
export interface SamplingOptions {
  /** Divides the logits; 0 (or less than {@link LEAST_TEMPERATURE}) is greedy. */
  readonly temperature: number;
  /** Keeps the k most probable ids and all that tie with the k-th; 0 is off. */
  readonly topK: number;
  /** Keeps the smallest set of most probable ids whose mass reaches this, and ties with its last; 1 is off. */
  readonly topP: number;
  /** Keeps ids at least this times as probable as the most probable one; 0 is off. */
  readonly minP: number;
  /** Divides positive and multiplies negative logits of ids seen before (Keskar et al. 2019); 1 is off. */
  readonly repetitionPenalty: number;
}

/** One row of logits and what is wanted of it. */
export interface SampleRow extends SamplingOptions {
  /** u32; with `stream` the key of the row's random numbers. */
  readonly seed: number;
  /** u32: which of the sequences that share a seed. */
  readonly stream: number;
  /** u32: index of the new token in its sequence; with the token id the counter of the random number. */
  readonly position: number;
  /** Which sequence's `seen` mask and `last_token` belong to the row. */
  readonly slot: number;
  /** The id whose log-probability is wanted, or {@link NO_TARGET} for the chosen one's. */
  readonly target: number;
  /** Write the chosen token to `last_token` and mark it in `seen`; scoring leaves both as they are. */
  readonly record: boolean;
}

/** 1 / T stays far from overflow above this. */
export const LEAST_TEMPERATURE = 1e-5;
/** Words of a row as the kernels read it. */
export const ROW_WORDS = 12;
/** As a row's target: none, tell the log-probability of the chosen token. */
export const NO_TARGET = 0xffffffff;

export const RowFlag = { greedy: 1, truncated: 2, penalised: 4, record: 8 } as const;

/** log(min_p) where min_p is off: below every difference of logits, yet no overflow when added to one. */
const NO_MIN_P = -1e38;

/** @throws R1Error E_OPTION naming the option, what was found and what was expected */
export function checkSamplingOptions(options: SamplingOptions): void {
  const { temperature, topK, topP, minP, repetitionPenalty } = options;
  const refuse = (name: string, found: number, expected: string): never => {
    throw new R1Error("E_OPTION", `${name} is ${found}; expected ${expected}`, { option: name, found });
  };
  if (!(temperature >= 0 && temperature < Infinity)) refuse("temperature", temperature, "a number of at least 0");
  if (!isU32(topK)) refuse("top_k", topK, "a whole number of at least 0");
  if (!(topP >= 0 && topP <= 1)) refuse("top_p", topP, "a number from 0 to 1");
  if (!(minP >= 0 && minP <= 1)) refuse("min_p", minP, "a number from 0 to 1");
  if (!(repetitionPenalty >= 1e-3 && repetitionPenalty <= 1e3)) {
    refuse("repetition_penalty", repetitionPenalty, "a number from 0.001 to 1000");
  }
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffffffff;
}

/**
 * Writes rows as the kernels read them. Temperature and penalty are folded into one factor, so that a scaled logit is one
 * correctly rounded product wherever it is computed, and comparing it with a threshold is exact.
 * @param words holds {@link ROW_WORDS} × rows at least
 * @throws R1Error E_OPTION for an option out of range, or a slot that a recording row shares with one that reads or writes it too
 * @throws R1Error E_TOKEN_RANGE for a target outside the vocabulary
 */
export function packRows(
  rows: readonly SampleRow[],
  words: Uint32Array,
  { vocab, slots }: { readonly vocab: number; readonly slots: number },
): void {
  const floats = new Float32Array(words.buffer, words.byteOffset, words.length);
  checkSlots(rows, slots);
  rows.forEach((row, index) => {
    checkSamplingOptions(row);
    const { seed, stream, position, target, temperature, topK, topP, minP, repetitionPenalty } = row;
    for (const [name, value] of Object.entries({ seed, stream, position })) {
      if (!isU32(value)) throw new R1Error("E_OPTION", `${name} is ${value}; expected a whole number below 2^32`);
    }
    if (target !== NO_TARGET && !(Number.isInteger(target) && target >= 0 && target < vocab)) {
      throw new R1Error("E_TOKEN_RANGE", `token id ${target} is outside the vocabulary of ${vocab}`, { vocab });
    }
    const greedy = temperature < LEAST_TEMPERATURE;
    const truncated = !greedy && ((topK > 0 && topK < vocab) || topP < 1 || minP > 0);
    const scale = greedy ? 1 : 1 / temperature;
    const at = index * ROW_WORDS;
    words.set([seed, stream, position, target], at);
    floats[at + 4] = scale;
    floats[at + 5] = scale / repetitionPenalty;
    floats[at + 6] = scale * repetitionPenalty;
    floats[at + 7] = minP > 0 ? Math.max(Math.log(minP), NO_MIN_P) : NO_MIN_P;
    words[at + 8] = topK;
    floats[at + 9] = topP;
    words[at + 10] = row.slot;
    words[at + 11] =
      (greedy ? RowFlag.greedy : 0) |
      (truncated ? RowFlag.truncated : 0) |
      (repetitionPenalty === 1 ? 0 : RowFlag.penalised) |
      (row.record ? RowFlag.record : 0);
  });
}

/** Rows run at the same time: none may read or write what another one writes. */
function checkSlots(rows: readonly SampleRow[], slots: number): void {
  const recorded = new Set<number>();
  const refuse = (slot: number, why: string): never => {
    throw new R1Error("E_OPTION", `slot ${slot}: ${why}`, { slot });
  };
  for (const { slot, record } of rows) {
    if (!(Number.isInteger(slot) && slot >= 0 && slot < slots)) refuse(slot, `expected a slot from 0 to ${slots - 1}`);
    if (!record) continue;
    if (recorded.has(slot)) refuse(slot, "two rows of one step would both choose its next token");
    recorded.add(slot);
  }
  for (const { slot, record, repetitionPenalty } of rows) {
    if (!record && repetitionPenalty !== 1 && recorded.has(slot)) {
      refuse(slot, "a row with a repetition penalty reads the tokens that another row of the step records");
    }
  }
}
