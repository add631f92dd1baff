import type { Alternative } from "../kernels/sample/top-alternatives.ts";
import { requireLogits } from "../model/broken-logits.ts";
import type { CachedSequence, StepResult, StepRow } from "../model/language-model.ts";
import { OutputSplitter } from "../text/output.ts";
import type { OutputPart } from "../text/output.ts";
import type { Completion, FinishReason, TokenEvent } from "./events.ts";
import type { GeneratePrompt, GenerateRequest, SaidToken } from "./request.ts";
import { stopIdsOf, thinkBudgetOf } from "./request.ts";
import type { ForcedToken, ThinkBudget } from "./think-budget.ts";

/** Where a sample stands in its request. */
export interface SamplePlace {
  /** Index of its prompt. */
  readonly prompt: number;
  /** Which of the prompt's n samples. */
  readonly sample: number;
  /** Tokens it may generate. */
  readonly most: number;
}

/** One sample while it is being decoded. */
export class Sample {
  readonly place: SamplePlace;
  readonly sequence: CachedSequence;
  readonly #prompt: GeneratePrompt;
  readonly #request: GenerateRequest;
  readonly #stopIds: readonly number[];
  readonly #budget: ThinkBudget | undefined;
  readonly #output: OutputSplitter;
  readonly #ids: number[] = [];
  readonly #logprobs: number[] = [];
  readonly #entropies: number[] = [];
  /** Input of the next step, when the host knows it. */
  #input: number;
  /** Token that the step in flight scores instead of choosing freely. */
  #target: ForcedToken | undefined;
  #submitted = 0;
  #finish: FinishReason | undefined;

  constructor(place: SamplePlace, sequence: CachedSequence, prompt: GeneratePrompt, request: GenerateRequest) {
    this.place = place;
    this.sequence = sequence;
    this.#prompt = prompt;
    this.#request = request;
    this.#input = prompt.ids.at(-1) ?? 0;
    this.#stopIds = stopIdsOf(request);
    this.#budget = thinkBudgetOf(request, prompt);
    this.#output = new OutputSplitter(request.tokenizer, {
      startsInThink: prompt.startsInThink,
      stopIds: this.#stopIds,
    });
    for (const token of prompt.said?.[place.sample] ?? []) {
      if (this.finished) break;
      this.#add(token);
      this.#say(token.id);
    }
    this.#submitted = this.#ids.length;
  }

  get finished(): boolean {
    return this.#finish !== undefined;
  }

  /** Tokens generated so far. */
  get length(): number {
    return this.#ids.length;
  }

  /** Prompt and generated tokens. */
  get tokens(): readonly number[] {
    return [...this.#prompt.ids, ...this.#ids];
  }

  /** A further step would not go past the longest output, whatever the steps in flight bring. */
  get hasRoom(): boolean {
    return !this.finished && this.#submitted < this.place.most;
  }

  /** A step may be submitted before the last one's token is known: nothing can have to be put in its place. */
  get canRunAhead(): boolean {
    return this.#target === undefined && (this.#budget?.idle ?? true);
  }

  nextRow(): StepRow {
    const known = this.#submitted === this.#ids.length;
    const { options } = this.#request;
    this.#submitted++;
    this.#target = this.#budget?.forced;
    return {
      sequence: this.sequence,
      ...(known ? { token: this.#input } : {}),
      ...(this.#target ? { target: this.#target.id } : {}),
      sampling: { ...options, seed: this.#prompt.seed ?? options.seed, stream: this.place.sample },
    };
  }

  /** Takes a step's result; undefined when the step has to be repeated to score a token put in the place of another. */
  take(result: StepResult, at: number): TokenEvent | undefined {
    const forced = this.#target;
    const id = forced?.id ?? result.token;
    requireLogits(result, this.#prompt.ids.length + this.#ids.length);
    if (!forced && this.#budget?.allows(id) === false) {
      // The same step again: it writes the same cache row, and this time reports the new token's probability.
      this.sequence.truncate(this.sequence.length - 1);
      this.#submitted--;
      return undefined;
    }
    this.#add({ id, logprob: result.logprob, entropy: result.entropy });
    const { text, channel } = this.#say(id);
    return {
      type: "token",
      prompt: this.place.prompt,
      sample: this.place.sample,
      index: this.#ids.length - 1,
      id,
      text,
      channel,
      logprob: result.logprob,
      entropy: result.entropy,
      ...(forced ? { forced: forced.reason } : {}),
      ...(result.alternatives ? this.#inspected(id, result.alternatives) : {}),
      at,
    };
  }

  #add({ id, logprob, entropy }: SaidToken): void {
    this.#budget?.accept(id);
    this.#ids.push(id);
    this.#input = id;
    this.#logprobs.push(logprob);
    this.#entropies.push(entropy);
    if (this.#stopIds.includes(id)) this.#finish = "stop";
    else if (this.#ids.length >= this.place.most) this.#finish = "length";
  }

  abort(): void {
    this.#finish ??= "aborted";
  }

  completion(): Completion {
    const { think, answer } = this.#output.result();
    return {
      ids: this.#ids,
      text: this.#output.text,
      think,
      answer,
      logprobs: this.#logprobs,
      entropies: this.#entropies,
      finishReason: this.#finish ?? "aborted",
    };
  }

  /** What a reader who asks about a token sees. */
  #inspected(id: number, alternatives: readonly Alternative[]): Pick<TokenEvent, "alternatives" | "piece"> {
    const { tokenizer, options } = this.#request;
    const pieceOf = (token: number): string => tokenizer?.decode([token]) ?? "";
    return {
      piece: pieceOf(id),
      alternatives: alternatives.slice(0, options.alternatives).map((one) => ({ ...one, piece: pieceOf(one.id) })),
    };
  }

  #say(id: number): OutputPart {
    const parts = this.#output.push(id);
    // What was held back for a character or a tag that never came goes out with the last token.
    if (this.finished) parts.push(...this.#output.flush());
    const text = parts.map((part) => part.text).join("");
    return { text, channel: parts[0]?.channel ?? this.#output.channel };
  }
}
