import { isR1Error, R1Error } from "../errors.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { bufferShortfall, chooseKv } from "../model/kv-format.ts";
import type { CachedSequence, KeptSequence, LanguageModel } from "../model/language-model.ts";
import { PREFILL_ROWS } from "../model/memory-plan.ts";
import type { KvFormat, SessionSizes } from "../model/session-buffers.ts";
import type { ModelSpec } from "../model/spec.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { ChatModel } from "./chat-model.ts";
import type { LoadRequest } from "./protocol.ts";

/** Context of a chat unless more is asked for: a cache of this length fits every GPU that holds the weights. */
const DEFAULT_CONTEXT = 4096;

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

export function cacheOf({ spec, limits }: ChatModel, request: Pick<LoadRequest, "contextTokens" | "kv">): ChatCache {
  const contextTokens = contextOf(spec, request);
  if (!limits) return { contextTokens, kv: "f32" };
  return { contextTokens, kv: chooseKv(spec, singleSizes(contextTokens), request.kv ?? "auto", limits) };
}

/**
 * The session of a chat, made anew when a request has another number of samples, and the conversation in its cache, which moves
 * along: what the next prompt shares with the one before is not computed again.
 */
export class ChatSessions {
  readonly #model: ChatModel;
  readonly #cache: ChatCache;
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
  async take(
    options: Pick<GenerateOptions, "n" | "maxNewTokens">,
  ): Promise<{ readonly session: LanguageModel; readonly conversation: CachedSequence }> {
    const session = await this.#sessionFor(options);
    this.#conversation ??= session.open(this.#cache.contextTokens);
    return { session, conversation: this.#conversation };
  }

  dispose(): void {
    this.#conversation?.free();
    this.#conversation = undefined;
    this.#session?.dispose();
    this.#session = undefined;
  }

  async #sessionFor(options: Pick<GenerateOptions, "n" | "maxNewTokens">): Promise<LanguageModel> {
    const wanted = sizesFor(this.#cache, options);
    const sizes = this.#sizes;
    if (this.#session && sizes?.maxSequences === wanted.maxSequences && sizes.kvTokens >= wanted.kvTokens) {
      return this.#session;
    }
    const { spec, limits } = this.#model;
    if (limits) checkSamples(spec, this.#cache, options, limits);
    const kept = await this.#keep();
    try {
      // The old cache goes first: two at a time may not fit.
      this.dispose();
      const session = await this.#model.createSession(wanted);
      this.#session = session;
      this.#sizes = wanted;
      if (kept) this.#conversation = session.resume(kept, this.#cache.contextTokens);
      return session;
    } finally {
      kept?.dispose();
    }
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

function sizesFor(
  { contextTokens, kv }: ChatCache,
  { n, maxNewTokens }: Pick<GenerateOptions, "n" | "maxNewTokens">,
): SessionSizes {
  const sizes = { ...singleSizes(contextTokens), kv };
  if (n === 1) return sizes;
  // Samples share the prompt's rows; each has its own for what it writes.
  return { ...sizes, maxSequences: n, kvTokens: contextTokens + n * Math.min(maxNewTokens + 1, contextTokens) };
}

/** @throws R1Error E_LIMIT, with the number of samples that would fit */
function checkSamples(
  spec: ModelSpec,
  cache: ChatCache,
  options: Pick<GenerateOptions, "n" | "maxNewTokens">,
  limits: BufferLimits,
): void {
  const shortfallOf = (n: number) => bufferShortfall(spec, sizesFor(cache, { ...options, n }), limits);
  const shortfall = shortfallOf(options.n);
  if (!shortfall) return;
  const { bytes, limit } = shortfall;
  let samples = options.n - 1;
  while (samples > 1 && shortfallOf(samples)) samples--;
  throw new R1Error(
    "E_LIMIT",
    `${options.n} samples of up to ${options.maxNewTokens} tokens need a buffer of ${bytes} bytes; this device allows ${limit}; ${samples === 1 ? "one sample" : `${samples} samples`} would fit, or shorter replies`,
    { bytes, limit, samples },
  );
}
