import { throwIfAborted } from "../errors.ts";
import type { R1Error } from "../errors.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { GenerateEvent } from "../generate/events.ts";
import { generate } from "../generate/generate.ts";
import { resolveOptions } from "../generate/options.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { CachedSequence, LanguageModel } from "../model/language-model.ts";
import { PREFILL_ROWS } from "../model/memory-plan.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import { parameterCount } from "../model/spec.ts";
import type { ModelSpec } from "../model/spec.ts";
import { promptOpensThink } from "../text/channels.ts";
import { buildPrompt } from "../text/chat.ts";
import type { TextAssets } from "../text/load-text.ts";
import type { SamplingDefaults } from "../text/sampling-defaults.ts";
import type { TemplateHost } from "../text/template-host.ts";
import { loadChatModel } from "./chat-model.ts";
import type { ChatModel } from "./chat-model.ts";
import type { CheckedFolder } from "./check-folder.ts";
import type { GenerateCall, LoadedModel, LoadProgress, LoadRequest } from "./protocol.ts";

/** Context of a chat unless more is asked for: a f32 cache of this length fits every GPU that holds the weights. */
export const DEFAULT_CONTEXT = 4096;

/** A loaded model with its text side and one conversation's cache. */
export class ChatEngine {
  readonly model: LoadedModel;
  readonly #weights: ChatModel;
  readonly #text: TextAssets;
  readonly #templates: TemplateHost;
  #session: LanguageModel | undefined;
  #sizes: SessionSizes | undefined;
  /** Kept from turn to turn: what the next prompt shares with it is not computed again. */
  #conversation: CachedSequence | undefined;

  private constructor(
    model: LoadedModel,
    weights: ChatModel,
    [session, sizes]: readonly [LanguageModel, SessionSizes],
    text: TextAssets,
    templates: TemplateHost,
  ) {
    this.model = model;
    this.#weights = weights;
    this.#session = session;
    this.#sizes = sizes;
    this.#text = text;
    this.#templates = templates;
  }

  /**
   * Reads the weights, compiles the kernels and allocates the cache of one conversation, so that the first question need
   * not wait for them.
   * @throws R1Error E_OUT_OF_MEMORY, E_LIMIT, E_ABORTED, what reading throws; nothing stays allocated then
   */
  static async load(
    device: GpuContext | R1Error,
    checked: CheckedFolder,
    templates: TemplateHost,
    request: Pick<LoadRequest, "format" | "contextTokens" | "runtime">,
    report: (progress: LoadProgress) => void,
    signal: AbortSignal,
  ): Promise<ChatEngine> {
    const started = performance.now();
    const { folder, text } = checked;
    report({ stage: "weights", loadedBytes: 0, totalBytes: 0 });
    const weights = await loadChatModel(device, checked, request.runtime, {
      ...(request.format ? { format: request.format } : {}),
      signal,
      onProgress: (loadedBytes, totalBytes) => report({ stage: "weights", loadedBytes, totalBytes }),
    });
    try {
      const { spec, bytes: weightBytes, runtime, instead } = weights;
      const contextTokens = contextOf(spec, request);
      report({ stage: "kernels", loadedBytes: 0, totalBytes: 0 });
      const sizes = sessionSizes(contextTokens, 1, 0);
      const session = await warmSession(weights, sizes, signal);
      const model: LoadedModel = {
        name: folder.name,
        spec,
        parameters: parameterCount(spec),
        weightBytes,
        contextTokens,
        runtime,
        ...(instead ? { instead } : {}),
        loadMs: performance.now() - started,
        hasTokenizer: text.tokenizer !== undefined,
        hasTemplate: text.template !== undefined,
        recommended: recommendedOptions(text.sampling),
      };
      return new ChatEngine(model, weights, [session, sizes], text, templates);
    } catch (error) {
      weights.dispose();
      throw error;
    }
  }

  /**
   * One reply, or several to the same question.
   * @throws R1Error E_TEMPLATE_MISSING, E_TOKENIZER_MISSING, E_TEMPLATE, E_OPTION, E_OUT_OF_MEMORY, and what generation
   *   throws
   */
  async *generate(call: GenerateCall, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const options = resolveOptions({ ...this.model.recommended, ...call.options });
    const { ids, startsInThink } = await this.#prompt(call);
    const session = await this.#sessionFor(options);
    const conversation = options.n === 1 ? (this.#conversation ??= session.open(this.model.contextTokens)) : undefined;
    const { tokenizer, eosIds } = this.#text;
    try {
      yield* generate(session, {
        prompts: [
          { ids, startsInThink, ...(conversation ? { conversation } : {}), ...(call.said ? { said: call.said } : {}) },
        ],
        options,
        stopIds: eosIds,
        ...(tokenizer ? { tokenizer } : {}),
        signal,
      });
    } catch (error) {
      // What an interrupted step left in the cache is unknown; the next turn begins afresh.
      conversation?.truncate(0);
      throw error;
    }
  }

  dispose(): void {
    this.#conversation = undefined;
    this.#session?.dispose();
    this.#session = undefined;
    this.#weights.dispose();
  }

  async #prompt({ prompt }: GenerateCall): Promise<{ ids: readonly number[]; startsInThink: boolean }> {
    const { tokenizer, template } = this.#text;
    if ("messages" in prompt) {
      return buildPrompt({ messages: prompt.messages, template, tokenizer, host: this.#templates });
    }
    return { ids: prompt.ids, startsInThink: tokenizer !== undefined && promptOpensThink(prompt.ids, tokenizer) };
  }

  /** One session per shape of request: the conversation's own, or a wider one for several samples. */
  async #sessionFor({ n, maxNewTokens }: GenerateOptions): Promise<LanguageModel> {
    const wanted = sessionSizes(this.model.contextTokens, n, maxNewTokens);
    const sizes = this.#sizes;
    if (this.#session && sizes?.maxSequences === n && sizes.kvTokens >= wanted.kvTokens) return this.#session;
    // The old cache goes first: two at a time may not fit.
    this.#conversation = undefined;
    this.#session?.dispose();
    this.#session = undefined;
    this.#session = await this.#weights.createSession(wanted);
    this.#sizes = wanted;
    return this.#session;
  }
}

/** Tokens of the conversation that a request asks for. */
export function contextOf({ maxPositions }: ModelSpec, { contextTokens }: Pick<LoadRequest, "contextTokens">): number {
  return Math.min(contextTokens ?? DEFAULT_CONTEXT, maxPositions);
}

function sessionSizes(contextTokens: number, n: number, maxNewTokens: number): SessionSizes {
  return {
    maxSequences: n,
    contextTokens,
    // Samples share the prompt's rows; each has its own for what it writes.
    kvTokens: n === 1 ? contextTokens : contextTokens + n * Math.min(maxNewTokens + 1, contextTokens),
    prefillRows: Math.min(PREFILL_ROWS, contextTokens),
    kv: "f32",
  };
}

/**
 * A session that has generated a token already: some drivers finish compiling a kernel only when it first runs, which the
 * first question would have to wait for.
 */
async function warmSession(weights: ChatModel, sizes: SessionSizes, signal: AbortSignal): Promise<LanguageModel> {
  const session = await weights.createSession(sizes);
  try {
    const prompts = [{ ids: [0, 0], startsInThink: false }];
    const events = generate(session, { prompts, options: resolveOptions({ maxNewTokens: 1 }), stopIds: [], signal });
    while ((await events.next()).done !== true);
    throwIfAborted(signal);
    return session;
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** The model's own settings as options; without sampling its temperature is 0. */
function recommendedOptions({ doSample, ...settings }: SamplingDefaults): Partial<GenerateOptions> {
  return doSample === false ? { ...settings, temperature: 0 } : settings;
}
