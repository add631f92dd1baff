import { isR1Error, R1Error } from "../errors.ts";
import { bufferShortfall, chooseKv } from "../model/kv-format.ts";
import type { BufferShortfall } from "../model/kv-format.ts";
import type { CachedSequence, KeptSequence, LanguageModel } from "../model/language-model.ts";
import { PREFILL_ROWS } from "../model/memory-plan.ts";
import type { KvFormat, SessionSizes } from "../model/session-buffers.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { ChatModel } from "./chat-model.ts";
import type { LoadRequest } from "./protocol.ts";

/** Context of a chat unless more is asked for: a cache of this length fits every GPU that holds the weights. */
export const DEFAULT_CONTEXT = 4096;

/** Tokens of the conversation that a request asks for. */
export function contextOf({ maxPositions }: ModelSpec, { contextTokens }: Pick<LoadRequest, "contextTokens">): number {
  return Math.min(contextTokens ?? DEFAULT_CONTEXT, maxPositions);
}

/** What a chat's sessions have in common. */
export interface ChatCache {
  readonly contextTokens: number;
  /** The same for one sample and for many, so that each says what it would say alone. */
  readonly kv: KvFormat;
}

type CacheWish = Pick<LoadRequest, "contextTokens" | "kv">;
type SampleWish = Pick<GenerateOptions, "n" | "maxNewTokens">;

export function cacheOf({ spec, limits }: ChatModel, request: CacheWish): ChatCache {
  const contextTokens = contextOf(spec, request);
  if (!limits) return { contextTokens, kv: "f32" };
  return { contextTokens, kv: chooseKv(spec, singleSizes(contextTokens), request.kv ?? "auto", limits) };
}

/** Contexts that a reader may choose from, where the model was made for as many tokens. */
const CONTEXTS = [4096, 8192, 16_384, 32_768];

/** Those that a model's device allows, and the model's own, shortest first. */
export function contextsOf(model: ChatModel, kv: LoadRequest["kv"]): readonly number[] {
  const own = model.spec.maxPositions;
  return [...CONTEXTS.filter((contextTokens) => contextTokens < own), own].filter(
    (contextTokens) => !lackOf(model, cacheOf(model, { contextTokens, ...(kv ? { kv } : {}) })),
  );
}

/**
 * The session of a chat, made anew when a request has another number of samples, and the conversation in its cache, which moves
 * along: what the next prompt shares with the one before is not computed again.
 */
export class ChatSessions {
  readonly #model: ChatModel;
  #cache: ChatCache;
  #session: LanguageModel | undefined;
  #sizes: SessionSizes | undefined;
  #conversation: CachedSequence | undefined;

  constructor(model: ChatModel, cache: ChatCache) {
    this.#model = model;
    this.#cache = cache;
  }

  /**
   * A session for so many samples, and the conversation's sequence in it.
   * @throws R1Error E_LIMIT when the samples' cache is larger than a buffer may be (what there was stays), E_OUT_OF_MEMORY
   */
  async take(options: SampleWish): Promise<{ readonly session: LanguageModel; readonly conversation: CachedSequence }> {
    const session = await this.#sessionFor(options);
    this.#conversation ??= session.open(this.#cache.contextTokens);
    return { session, conversation: this.#conversation };
  }

  /**
   * Goes on with another context.
   * @throws R1Error E_LIMIT, E_OUT_OF_MEMORY; the context stays as it was then
   */
  async change(cache: ChatCache): Promise<void> {
    const before = this.#cache;
    const lack = lackOf(this.#model, cache);
    if (lack) throw limitError(`a context of ${cache.contextTokens} tokens needs`, lack);
    this.#conversation?.truncate(cache.contextTokens);
    // Rows of another type are of no use.
    const kept = cache.kv === before.kv ? await this.#keep() : undefined;
    try {
      this.#cache = cache;
      await this.#renew(sizesFor(cache, { n: 1, maxNewTokens: 0 }), kept);
    } catch (error) {
      this.#cache = before;
      // Where not even that can be had again, the next question tries once more.
      await this.#renew(sizesFor(before, { n: 1, maxNewTokens: 0 }), kept).catch(() => undefined);
      throw error;
    } finally {
      kept?.dispose();
    }
  }

  dispose(): void {
    this.#conversation?.free();
    this.#conversation = undefined;
    this.#session?.dispose();
    this.#session = undefined;
  }

  async #sessionFor(options: SampleWish): Promise<LanguageModel> {
    const wanted = sizesFor(this.#cache, options);
    const sizes = this.#sizes;
    if (this.#session && sizes?.maxSequences === wanted.maxSequences && sizes.kvTokens >= wanted.kvTokens) {
      return this.#session;
    }
    this.#checkSamples(options);
    const kept = await this.#keep();
    try {
      return await this.#renew(wanted, kept);
    } finally {
      kept?.dispose();
    }
  }

  /** @throws R1Error E_LIMIT, with the number of samples that would fit */
  #checkSamples(options: SampleWish): void {
    const lackOfSamples = (n: number) => lackOf(this.#model, this.#cache, { ...options, n });
    const lack = lackOfSamples(options.n);
    if (!lack) return;
    let samples = options.n - 1;
    while (samples > 1 && lackOfSamples(samples)) samples--;
    const instead = `; ${samples === 1 ? "one sample" : `${samples} samples`} would fit, or shorter replies`;
    throw limitError(`${options.n} samples of up to ${options.maxNewTokens} tokens need`, lack, instead, { samples });
  }

  /** @param kept what the new session begins with */
  async #renew(sizes: SessionSizes, kept: KeptSequence | undefined): Promise<LanguageModel> {
    // The old cache goes first: two at a time may not fit.
    this.dispose();
    const session = await this.#model.createSession(sizes);
    this.#session = session;
    this.#sizes = sizes;
    if (kept) this.#conversation = session.resume(kept, this.#cache.contextTokens);
    return session;
  }

  /** The conversation without its session; where there is no room for a copy, it will be computed again. */
  async #keep(): Promise<KeptSequence | undefined> {
    if (!this.#conversation || this.#conversation.length === 0) return undefined;
    try {
      return await this.#session?.keep(this.#conversation);
    } catch (error) {
      if (isR1Error(error) && error.code === "E_OUT_OF_MEMORY") return undefined;
      throw error;
    }
  }
}

function singleSizes(contextTokens: number): Omit<SessionSizes, "kv"> {
  const prefillRows = Math.min(PREFILL_ROWS, contextTokens);
  return { maxSequences: 1, contextTokens, kvTokens: contextTokens, prefillRows };
}

function sizesFor({ contextTokens, kv }: ChatCache, { n, maxNewTokens }: SampleWish): SessionSizes {
  const sizes = { ...singleSizes(contextTokens), kv };
  if (n === 1) return sizes;
  // Samples share the prompt's rows; each has its own for what it writes.
  return { ...sizes, maxSequences: n, kvTokens: contextTokens + n * Math.min(maxNewTokens + 1, contextTokens) };
}

/** What a session lacks on the model's device. */
function lackOf(
  { spec, limits }: ChatModel,
  cache: ChatCache,
  options: SampleWish = { n: 1, maxNewTokens: 0 },
): BufferShortfall | undefined {
  return limits && bufferShortfall(spec, sizesFor(cache, options), limits);
}

function limitError(
  what: string,
  { bytes, limit }: BufferShortfall,
  instead = "",
  details: Readonly<Record<string, number>> = {},
): R1Error {
  const message = `${what} a buffer of ${bytes} bytes; this device allows ${limit}${instead}`;
  return new R1Error("E_LIMIT", message, { bytes, limit, ...details });
}
