import { R1Error } from "../errors.ts";
import type { CachedSequence, LanguageModel } from "../model/language-model.ts";
import { checkTokenIds } from "../model/token-ids.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { GenerateOptions } from "./options.ts";
import { ThinkBudget } from "./think-budget.ts";

/** A token of a reply that was cut off, as its event had it. */
export interface SaidToken {
  readonly id: number;
  readonly logprob: number;
  readonly entropy: number;
}

/** One prompt of a request. */
export interface GeneratePrompt {
  readonly ids: readonly number[];
  /** The prompt ends inside a thought (R1's template opens it). */
  readonly startsInThink: boolean;
  /** Seed of this prompt's samples; the options' by default. */
  readonly seed?: number;
  /**
   * Sequence kept from the turn before: what it shares with the prompt is not computed again. An only sample is written into it;
   * several fork from it, and it holds the prompt afterwards.
   */
  readonly conversation?: CachedSequence;
  /**
   * What each sample has said already, in its order; left out, nothing. They go on from there as if they had not been cut
   * off (a device was lost, say): their cache is computed anew from the ids, the random numbers are those of the position.
   */
  readonly said?: readonly (readonly SaidToken[])[];
}

export interface GenerateRequest {
  readonly prompts: readonly GeneratePrompt[];
  readonly options: GenerateOptions;
  /** Left out, tokens have no text and only `stopIds` end a sample. */
  readonly tokenizer?: Tokenizer;
  /** Tokens that end a sample; the tokenizer's by default. */
  readonly stopIds?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Checks what can be checked before any work.
 * @throws R1Error E_PROMPT_EMPTY, E_PROMPT_TOO_LONG, E_TOKEN_RANGE, E_OPTION
 */
export function checkRequest(session: LanguageModel, request: GenerateRequest): void {
  const { contextTokens, maxSequences } = session.sizes;
  const { options, tokenizer } = request;
  for (const { ids, said = [] } of request.prompts) {
    if (ids.length === 0) throw new R1Error("E_PROMPT_EMPTY", "the prompt is empty");
    if (ids.length >= contextTokens) {
      throw new R1Error(
        "E_PROMPT_TOO_LONG",
        `the prompt has ${ids.length} tokens; the context holds ${contextTokens} with the answer`,
        { length: ids.length, most: contextTokens },
      );
    }
    checkTokenIds(session.spec, ids);
    checkSaid(session, request, ids.length, said);
  }
  if (options.n > maxSequences) {
    throw new R1Error("E_OPTION", `n is ${options.n}; this session decodes at most ${maxSequences} together`, {
      option: "n",
    });
  }
  if ((options.thinkMin > 0 || options.thinkMax > 0) && tokenizer?.thinkEndId === undefined) {
    throw new R1Error("E_OPTION", "a think budget needs a tokenizer in which </think> is one token", {
      option: options.thinkMin > 0 ? "thinkMin" : "thinkMax",
    });
  }
}

function checkSaid(
  session: LanguageModel,
  { options }: GenerateRequest,
  promptLength: number,
  said: readonly (readonly SaidToken[])[],
): void {
  if (said.length > options.n) {
    throw new R1Error("E_OPTION", `${said.length} samples to go on with; n is ${options.n}`, { option: "n" });
  }
  const { contextTokens } = session.sizes;
  for (const tokens of said) {
    const length = promptLength + tokens.length;
    if (length > contextTokens) {
      throw new R1Error("E_PROMPT_TOO_LONG", `${length} tokens to go on from; the context holds ${contextTokens}`, {
        length,
        most: contextTokens,
      });
    }
    checkTokenIds(
      session.spec,
      tokens.map(({ id }) => id),
    );
  }
}

export function stopIdsOf({ stopIds, tokenizer }: GenerateRequest): readonly number[] {
  return stopIds ?? tokenizer?.eosIds ?? [];
}

/** The budget of one sample; undefined where none is asked for. */
export function thinkBudgetOf(request: GenerateRequest, prompt: GeneratePrompt): ThinkBudget | undefined {
  const { tokenizer, options } = request;
  const { thinkMin, thinkMax } = options;
  const thinkEndId = tokenizer?.thinkEndId;
  if (!tokenizer || thinkEndId === undefined || (thinkMin === 0 && thinkMax === 0)) return undefined;
  return new ThinkBudget(thinkMin, thinkMax, prompt.startsInThink, {
    thinkStartId: tokenizer.thinkStartId,
    thinkEndId,
    waitIds: tokenizer.encode("Wait"),
    eosIds: stopIdsOf(request),
  });
}
