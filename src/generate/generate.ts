import { isR1Error } from "../errors.ts";
import { commonPrefix } from "../model/sequence.ts";
import type { CachedSequence, LanguageModel, PrefillEntry, StepResult } from "../model/language-model.ts";
import type { GenerateEvent, GenerateStats, TokenEvent } from "./events.ts";
import { checkRequest } from "./request.ts";
import type { GeneratePrompt, GenerateRequest } from "./request.ts";
import { Sample } from "./sample.ts";

export type { GeneratePrompt, GenerateRequest, SaidToken } from "./request.ts";

/**
 * Generates n samples of each prompt. A prompt is run through the model once; with n > 1 its samples fork from it. All
 * samples decode in one batch, which each leaves as it finishes and which waiting prompts then enter. An abort ends the
 * samples where they are and still reports them.
 * @throws R1Error E_PROMPT_EMPTY, E_PROMPT_TOO_LONG, E_TOKEN_RANGE, E_OPTION before any work; E_KV_FULL when a prompt does
 *   not fit into the empty cache; E_DEVICE_LOST; tokens already yielded stay valid
 */
export async function* generate(session: LanguageModel, request: GenerateRequest): AsyncGenerator<GenerateEvent> {
  checkRequest(session, request);
  const run = new Run(session, request);
  try {
    yield* run.events();
  } finally {
    await run.close();
  }
}

/** A prompt's place in the cache while its samples are being opened. */
interface Admission {
  readonly index: number;
  readonly prompt: GeneratePrompt;
  readonly root: CachedSequence;
  readonly samples: readonly Sample[];
  readonly cachedTokens: number;
}

/** What the cache lacks of a prompt, and of what its only sample has said: all but the first step's input. */
function rootEntry({ root, prompt, samples, cachedTokens }: Admission): PrefillEntry {
  const [only] = samples;
  const tokens = only?.sequence === root ? only.tokens : prompt.ids;
  return { sequence: root, tokens: tokens.slice(cachedTokens, -1) };
}

/** The same of samples that fork from the prompt, where they have said something. */
function forkEntries({ root, prompt, samples }: Admission): readonly PrefillEntry[] {
  return samples
    .filter(({ sequence, length }) => sequence !== root && length > 0)
    .map(({ sequence, tokens }) => ({ sequence, tokens: tokens.slice(prompt.ids.length - 1, -1) }));
}

/** A submitted step. */
interface Flight {
  readonly samples: readonly Sample[];
  readonly wait: () => Promise<StepResult[]>;
}

class Run {
  readonly #session: LanguageModel;
  readonly #request: GenerateRequest;
  readonly #started = performance.now();
  readonly #waiting: { readonly index: number; readonly prompt: GeneratePrompt }[];
  #live: Sample[] = [];
  #flight: Flight | undefined;
  #prefillMs = 0;
  #completionTokens = 0;
  #cachedTokens = 0;

  constructor(session: LanguageModel, request: GenerateRequest) {
    this.#session = session;
    this.#request = request;
    this.#waiting = request.prompts.map((prompt, index) => ({ index, prompt }));
  }

  /**
   * The decode loop. The next step is submitted before the last one's tokens are read wherever that is safe: the GPU
   * feeds each sampled token to itself, and the readback's latency is hidden. A step submitted for a sample that turns
   * out to have ended is dropped.
   */
  async *events(): AsyncGenerator<GenerateEvent> {
    const { signal, options } = this.#request;
    const alternatives = options.alternatives > 0;
    if (alternatives) await this.#session.prepareAlternatives();
    const submit = (samples: readonly Sample[]): Flight => {
      const rows = samples.map((sample) => sample.nextRow());
      return { samples, wait: this.#session.submitStep(rows, alternatives) };
    };
    while (!signal?.aborted) {
      if (!this.#flight) {
        yield* this.#admit();
        if (this.#live.length === 0) break;
        this.#flight = submit(this.#live);
      }
      const landing: Flight = this.#flight;
      const following = this.#aheadOf(landing);
      this.#flight = following.length > 0 ? submit(following) : undefined;
      const results = await landing.wait();
      const at = performance.now() - this.#started;
      for (const [i, sample] of landing.samples.entries()) {
        const result = results[i];
        // A sample that ended while its next step was in flight.
        if (!result || sample.finished) continue;
        const token = sample.take(result, at);
        if (token) yield this.#said(sample, token);
        if (sample.finished) yield this.#finished(sample);
      }
      await this.#dropIfEnded();
    }
    for (const sample of this.#live) {
      sample.abort();
      yield this.#finished(sample);
    }
    for (const { index } of this.#waiting) {
      // A prompt that never began still ends, with nothing.
      for (let i = 0; i < options.n; i++) {
        const completion = {
          ids: [],
          text: "",
          think: "",
          answer: "",
          logprobs: [],
          entropies: [],
          finishReason: "aborted",
        } as const;
        yield { type: "finished", prompt: index, sample: i, completion };
      }
    }
    yield { type: "done", stats: this.#stats() };
  }

  /** What is in flight must land before its staging buffer is used again; then every sequence of the run is freed. */
  async close(): Promise<void> {
    await this.#flight?.wait().catch(() => undefined);
    this.#flight = undefined;
    for (const sample of this.#live) this.#free(sample);
    this.#live = [];
  }

  /** Lets waiting prompts in, as many as the batch and the cache hold, and runs them through the model together. */
  async *#admit(): AsyncGenerator<GenerateEvent> {
    const admitted: Admission[] = [];
    const started = performance.now();
    for (let next = this.#waiting[0]; next; next = this.#waiting[0]) {
      if (this.#live.length + this.#request.options.n > this.#session.sizes.maxSequences) break;
      const admission = this.#open(next.index, next.prompt);
      if (!admission) break;
      this.#waiting.shift();
      admitted.push(admission);
      this.#live.push(...admission.samples);
    }
    if (admitted.length === 0) return;
    try {
      await this.#session.prefill(admitted.map(rootEntry), this.#request.signal);
      // What samples have said already comes after the prompt that they fork from.
      const said = admitted.flatMap(forkEntries);
      if (said.length > 0) await this.#session.prefill(said, this.#request.signal);
    } catch (error) {
      // The loop sees the signal next and reports the samples.
      if (isR1Error(error) && error.code === "E_ABORTED") return;
      throw error;
    }
    this.#prefillMs += performance.now() - started;
    for (const { index, prompt, cachedTokens } of admitted) {
      this.#cachedTokens += cachedTokens;
      const at = performance.now() - this.#started;
      yield { type: "prefilled", prompt: index, promptTokens: prompt.ids.length, cachedTokens, at };
    }
    // Those that had said all before they were cut off.
    for (const sample of this.#live.filter(({ finished }) => finished)) yield this.#finished(sample);
  }

  /**
   * Takes cache rows for a prompt and its samples; undefined when there is no room yet.
   * @throws R1Error E_KV_FULL when there would be none in an empty batch either
   */
  #open(index: number, prompt: GeneratePrompt): Admission | undefined {
    const { options } = this.#request;
    const session = this.#session;
    const length = prompt.ids.length;
    const most = Math.min(options.maxNewTokens, session.sizes.contextTokens - length);
    const single = options.n === 1;
    // The last prompt token is the first decode step's input, so that prefill never computes logits.
    const rootTokens = length - 1;
    const opened: CachedSequence[] = [];
    try {
      const root = prompt.conversation ?? session.open(rootTokens + (single ? most : 0));
      if (!prompt.conversation) opened.push(root);
      const cachedTokens = Math.min(rootTokens, commonPrefix(root.tokens, prompt.ids));
      root.truncate(cachedTokens);
      const samples = Array.from({ length: options.n }, (_, sample) => {
        const sequence = single ? root : session.fork(root, prompt.ids.slice(0, -1), rootTokens + most);
        if (!single) opened.push(sequence);
        const opening = new Sample({ prompt: index, sample, most }, sequence, prompt, this.#request);
        if (options.repetitionPenalty !== 1) session.markSeen(sequence, opening.tokens);
        return opening;
      });
      // Its samples keep the root's rows for as long as they need them.
      if (!single && !prompt.conversation) root.free();
      return { index, prompt, root, samples, cachedTokens };
    } catch (error) {
      for (const sequence of opened.toReversed()) sequence.free();
      if (isR1Error(error) && error.code === "E_KV_FULL" && this.#live.length > 0) return undefined;
      throw error;
    }
  }

  /** Samples that can take a step before the one in flight has landed: all that go on, or none. */
  #aheadOf(landing: Flight): readonly Sample[] {
    // With prompts waiting, a sample that ends makes room at once.
    if (this.#waiting.length > 0 || !this.#session.runsAhead) return [];
    const going = landing.samples.filter((sample) => sample.hasRoom);
    return going.every((sample) => sample.canRunAhead) ? going : [];
  }

  #said(sample: Sample, token: TokenEvent): TokenEvent {
    this.#completionTokens++;
    // The GPU marks what it chooses itself; what was put in its place, or rejected, is set right here.
    if (token.forced && this.#request.options.repetitionPenalty !== 1) {
      this.#session.markSeen(sample.sequence, sample.tokens);
    }
    return token;
  }

  #finished(sample: Sample): GenerateEvent {
    this.#live = this.#live.filter((other) => other !== sample);
    this.#free(sample);
    const { prompt, sample: index } = sample.place;
    return { type: "finished", prompt, sample: index, completion: sample.completion() };
  }

  #free({ sequence, place }: Sample): void {
    if (this.#request.prompts[place.prompt]?.conversation !== sequence) sequence.free();
  }

  /** A step all of whose samples have ended meanwhile is awaited and dropped. */
  async #dropIfEnded(): Promise<void> {
    if (this.#flight?.samples.some((sample) => !sample.finished) !== false) return;
    await this.#flight.wait();
    this.#flight = undefined;
  }

  #stats(): GenerateStats {
    const decodeMs = performance.now() - this.#started - this.#prefillMs;
    return {
      promptTokens: this.#request.prompts.reduce((sum, { ids }) => sum + ids.length, 0),
      cachedTokens: this.#cachedTokens,
      completionTokens: this.#completionTokens,
      prefillMs: this.#prefillMs,
      decodeMs,
      tokensPerSecond: decodeMs > 0 ? (this.#completionTokens * 1000) / decodeMs : 0,
    };
  }
}
