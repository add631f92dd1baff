import { generate } from "../../generate/generate.ts";
import { resolveOptions } from "../../generate/options.ts";
import type { LanguageModelWeights } from "../../model/load.ts";
import type { ModelAdapter } from "../../model/session-adapter.ts";
import type { SessionSizes } from "../../model/session-buffers.ts";
import { Session } from "../../model/session.ts";
import { R1Error } from "../../errors.ts";
import { StreamDecoder } from "../../text/stream-decoder.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";
import type { PromptInput } from "../data/rows.ts";
import { Rng } from "../rng.ts";
import type { PromptWriter, WrittenPrompt } from "./prompts.ts";

/** One sampled completion. */
export interface Rollout {
  /** Index of its prompt. */
  readonly prompt: number;
  readonly promptIds: readonly number[];
  /** Generated ids, the end-of-sequence token included. */
  readonly ids: readonly number[];
  /** Ended by itself, not by the length limit. */
  readonly finished: boolean;
  /** The whole completion as text: what the template opened, then what was generated, without the EOS token. */
  readonly text: string;
  /** What each generated id adds to the text. */
  readonly pieces: readonly string[];
  /** The sampler's log-probabilities of the whole distribution at temperature 1, in nats. */
  readonly samplingLogps: readonly number[];
}

export interface SamplingSettings {
  readonly temperature: number;
  readonly topP: number;
  readonly topK: number;
  readonly maxNewTokens: number;
}

export interface SamplerSizes {
  /** Completions that decode together at most. */
  readonly sequences: number;
  readonly generations: number;
  readonly promptTokens: number;
  readonly maxNewTokens: number;
}

/** Prompt tokens that are run through the model at a time. */
const PREFILL_ROWS = 512;

/** The session that a sampler makes: a group shares its prompt's cache rows. */
export function rolloutSessionSizes({
  sequences,
  generations,
  promptTokens,
  maxNewTokens,
}: SamplerSizes): SessionSizes {
  const groups = Math.max(1, Math.floor(sequences / generations));
  return {
    maxSequences: groups * generations,
    contextTokens: promptTokens + maxNewTokens,
    kvTokens: groups * (promptTokens + generations * maxNewTokens),
    prefillRows: Math.min(PREFILL_ROWS, groups * promptTokens),
    kv: "f32",
  };
}

/** Samples groups of completions from a model's current weights, each group's prompt prefilled once. */
export class Sampler {
  readonly #session: Session;
  readonly #tokenizer: Tokenizer;
  readonly #prompts: PromptWriter;
  readonly #sizes: SamplerSizes;

  private constructor(session: Session, tokenizer: Tokenizer, prompts: PromptWriter, sizes: SamplerSizes) {
    this.#session = session;
    this.#tokenizer = tokenizer;
    this.#prompts = prompts;
    this.#sizes = sizes;
  }

  /**
   * @param adapter what the model is sampled with, as it is at each rollout
   * @throws R1Error E_OUT_OF_MEMORY, E_LIMIT
   */
  static async create(
    model: LanguageModelWeights,
    tokenizer: Tokenizer,
    prompts: PromptWriter,
    sizes: SamplerSizes,
    adapter?: ModelAdapter,
  ): Promise<Sampler> {
    const session = await Session.create(model, rolloutSessionSizes(sizes), adapter);
    return new Sampler(session, tokenizer, prompts, sizes);
  }

  /**
   * @param inputs users' messages, or conversations to go on with
   * @param generations completions of each
   * @param path the random path of this batch; an input's completions depend on it and the input's place alone
   * @throws R1Error E_PROMPT_TOO_LONG for a prompt longer than the sampler was made for; E_ABORTED, E_DEVICE_LOST
   */
  async sample(
    inputs: readonly PromptInput[],
    generations: number,
    settings: SamplingSettings,
    path: { readonly seed: number; readonly path: readonly number[] },
    signal?: AbortSignal,
  ): Promise<readonly Rollout[]> {
    const written = await Promise.all(inputs.map((input) => this.#written(input)));
    const prompts = written.map(({ ids, startsInThink }, i) => ({
      ids,
      startsInThink,
      seed: new Rng(path.seed, ...path.path, i).int(2 ** 32),
    }));
    const stopIds = this.#tokenizer.eosIds;
    const options = resolveOptions({ ...settings, n: generations });
    const rollouts: Rollout[] = [];
    // Without a tokenizer the loop leaves text alone; it is decoded once, at the end.
    const events = generate(this.#session, { prompts, options, stopIds, ...(signal ? { signal } : {}) });
    for await (const event of events) {
      if (event.type !== "finished") continue;
      const { ids, logprobs, finishReason } = event.completion;
      if (finishReason === "aborted") throw new R1Error("E_ABORTED", "stopped during a rollout");
      const finished = finishReason === "stop";
      const text = this.#tokenizer.decode(finished ? ids.slice(0, -1) : ids);
      rollouts[event.prompt * generations + event.sample] = {
        prompt: event.prompt,
        promptIds: prompts[event.prompt]?.ids ?? [],
        ids,
        finished,
        text: (written[event.prompt]?.opening ?? "") + text,
        pieces: this.#pieces(ids),
        samplingLogps: logprobs,
      };
    }
    return rollouts;
  }

  dispose(): void {
    this.#session.dispose();
  }

  #pieces(ids: readonly number[]): readonly string[] {
    const decoder = new StreamDecoder(this.#tokenizer);
    return ids.map((id) => decoder.push(id));
  }

  async #written(input: PromptInput): Promise<WrittenPrompt> {
    const written = await this.#prompts.write(input);
    if (written.ids.length <= this.#sizes.promptTokens) return written;
    throw new R1Error(
      "E_PROMPT_TOO_LONG",
      `a prompt of ${written.ids.length} tokens; this run was set up for ${this.#sizes.promptTokens}`,
    );
  }
}
