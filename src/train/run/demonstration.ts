import { THINK_END } from "../../text/tags.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { Example } from "./example.ts";
import { withoutOpening } from "./prompts.ts";
import type { PromptWriter, WrittenPrompt } from "./prompts.ts";

/** What ends a completion: its text in data, and its token ids. */
export interface Ending {
  readonly text: string;
  readonly ids: readonly number[];
}

/** What a text for training is written with. */
export interface DemonstrationWriter {
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptWriter;
  /** Ends a completion that does not end itself. */
  readonly eos: number;
  readonly endings: readonly Ending[];
  readonly maxLength: number;
  /** What says so, for a reader. */
  readonly maxLengthSays: string;
  readonly completionOnly: boolean;
}

/** A prompt, as text or written out already, and the completion that is taught. */
export interface Written {
  readonly prompt: string | WrittenPrompt;
  readonly completion: string;
}

/** A row of a dataset. */
export interface Demonstrated extends Written {
  readonly line: number;
}

/** All that a completion may end with by itself: every end-of-sequence token, and the template's own end of a turn. */
export function endingsOf(tokenizer: Tokenizer, turnEnd: string): readonly Ending[] {
  const tokens = tokenizer.eosIds.flatMap((id): Ending[] => {
    const text = tokenizer.tokenOf(id) ?? "";
    return text.trim() === "" ? [] : [{ text, ids: [id] }];
  });
  const known = turnEnd === "" || tokens.some(({ text }) => text === turnEnd);
  return known ? tokens : [...tokens, { text: turnEnd, ids: tokenizer.encode(turnEnd) }];
}

/**
 * A completion apart from what ends it, so that it ends once: with its own end where it has one, the first of several,
 * whatever white space follows.
 */
function splitEnding(completion: string, endings: readonly Ending[]): { text: string; ending: Ending | undefined } {
  let text = completion;
  let ending: Ending | undefined;
  for (;;) {
    const trimmed = text.trimEnd();
    const found = endings.find((one) => trimmed.endsWith(one.text));
    if (!found) return { text, ending };
    ending = found;
    text = trimmed.slice(0, -found.text.length);
  }
}

/** A demonstration's parts: the prompt, and the completion without what the template writes of it and without its end. */
export function partsOf(
  { prompts, endings, eos }: DemonstrationWriter,
  { prompt, completion }: Written,
): { readonly opening: string; readonly text: string; readonly endIds: readonly number[] } {
  const opening = typeof prompt === "string" ? prompts.opening : prompt.opening;
  const { text, ending } = splitEnding(withoutOpening(completion, opening), endings);
  return { opening, text, endIds: ending?.ids ?? [eos] };
}

/** Whether a demonstration leaves the thought open that the template has opened. */
export function leavesThoughtOpen(writer: DemonstrationWriter, written: Written): boolean {
  const { opening, text } = partsOf(writer, written);
  return opening !== "" && !text.includes(THINK_END);
}

/** The ids of prompt and completion, whatever their length. */
export function wholeDemonstration(writer: DemonstrationWriter, written: Written): Example {
  const { tokenizer, prompts } = writer;
  const { prompt } = written;
  const before = typeof prompt === "string" ? prompts.ids(prompt) : prompt.ids;
  const { text, endIds } = partsOf(writer, written);
  return { ids: [...before, ...tokenizer.encode(text), ...endIds], promptLength: before.length };
}

/** A demonstration, cut to the longest length that is allowed. */
export function writeDemonstration(writer: DemonstrationWriter, written: Written): Example {
  const { maxLength, completionOnly } = writer;
  const { ids, promptLength } = wholeDemonstration(writer, written);
  return {
    ids: ids.slice(0, maxLength),
    promptLength: completionOnly ? Math.min(promptLength, ids.length, maxLength) : 0,
  };
}
