import { R1Error, throwIfAborted } from "../errors.ts";
import { visible } from "../visible-text.ts";
import type { GpuContext } from "../gpu/device.ts";
import type { GenerateEvent } from "../generate/events.ts";
import { generate } from "../generate/generate.ts";
import { checkRequest } from "../generate/request.ts";
import type { GenerateRequest } from "../generate/request.ts";
import { resolveOptions } from "../generate/options.ts";
import type { GenerateOptions } from "../generate/options.ts";
import { parameterCount } from "../model/spec.ts";
import { promptOpensThink } from "../text/channels.ts";
import { buildPrompt } from "../text/chat.ts";
import type { TextAssets } from "../text/load-text.ts";
import type { SamplingDefaults } from "../text/sampling-defaults.ts";
import type { TemplateHost } from "../text/template-host.ts";
import { loadChatModel } from "./chat-model.ts";
import type { ChatModel } from "./chat-model.ts";
import { cacheOf, ChatSessions, contextsOf } from "./chat-sessions.ts";
import type { CheckedFolder } from "./check-folder.ts";
import type { GenerateCall, LoadedModel, LoadProgress, LoadRequest } from "./protocol.ts";

/** A loaded model with its text side and one conversation's cache. */
export class ChatEngine {
  #model: LoadedModel;
  /** As it was asked for. */
  readonly #kv: LoadRequest["kv"];
  readonly #weights: ChatModel;
  readonly #text: TextAssets;
  readonly #templates: TemplateHost;
  readonly #sessions: ChatSessions;

  private constructor(
    model: LoadedModel,
    weights: ChatModel,
    sessions: ChatSessions,
    kv: LoadRequest["kv"],
    text: TextAssets,
    templates: TemplateHost,
  ) {
    this.#model = model;
    this.#kv = kv;
    this.#weights = weights;
    this.#sessions = sessions;
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
    request: Pick<LoadRequest, "format" | "contextTokens" | "kv" | "runtime">,
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
      const cache = cacheOf(weights, request);
      report({ stage: "kernels", loadedBytes: 0, totalBytes: 0 });
      const sessions = new ChatSessions(weights, cache);
      await warmUp(sessions, signal);
      const model: LoadedModel = {
        name: visible(folder.name),
        spec,
        parameters: parameterCount(spec),
        weightBytes,
        memoryBytes: weights.memoryBytes(),
        ...cache,
        contexts: contextsOf(weights, request.kv),
        runtime,
        ...(instead ? { instead } : {}),
        loadMs: performance.now() - started,
        hasTokenizer: text.tokenizer !== undefined,
        hasTemplate: text.template !== undefined,
        recommended: recommendedOptions(text.sampling),
      };
      return new ChatEngine(model, weights, sessions, request.kv, text, templates);
    } catch (error) {
      weights.dispose();
      throw error;
    }
  }

  get model(): LoadedModel {
    return this.#model;
  }

  /** @throws R1Error E_LIMIT, E_OUT_OF_MEMORY, E_OPTION; the context stays as it was then */
  async setContext(contextTokens: number): Promise<LoadedModel> {
    if (!Number.isInteger(contextTokens) || contextTokens < 1) {
      throw new R1Error("E_OPTION", `a context of ${contextTokens} tokens; expected a whole number above 0`, {
        option: "contextTokens",
      });
    }
    const cache = cacheOf(this.#weights, { contextTokens, ...(this.#kv ? { kv: this.#kv } : {}) });
    await this.#sessions.change(cache);
    this.#model = { ...this.#model, ...cache, memoryBytes: this.#weights.memoryBytes() };
    return this.#model;
  }

  /**
   * One reply, or several to the same question.
   * @throws R1Error E_TEMPLATE_MISSING, E_TOKENIZER_MISSING, E_TEMPLATE, E_OPTION, E_OUT_OF_MEMORY, and what generation
   *   throws
   */
  async *generate(call: GenerateCall, signal: AbortSignal): AsyncGenerator<GenerateEvent> {
    const options = resolveOptions({ ...this.model.recommended, ...call.options });
    const { ids, startsInThink } = await this.#prompt(call);
    const { session, conversation } = await this.#sessions.take(options);
    const { tokenizer, eosIds } = this.#text;
    const request: GenerateRequest = {
      prompts: [{ ids, startsInThink, conversation, ...(call.said ? { said: call.said } : {}) }],
      options,
      stopIds: eosIds,
      ...(tokenizer ? { tokenizer } : {}),
      signal,
    };
    // A question that is refused costs nothing of what there is.
    checkRequest(session, request);
    try {
      yield* generate(session, request);
    } catch (error) {
      // What an interrupted step left in the cache is unknown; the next turn begins afresh.
      conversation.truncate(0);
      throw error;
    }
  }

  dispose(): void {
    this.#sessions.dispose();
    this.#weights.dispose();
  }

  async #prompt({ prompt }: GenerateCall): Promise<{ ids: readonly number[]; startsInThink: boolean }> {
    const { tokenizer, template } = this.#text;
    if ("messages" in prompt) {
      return buildPrompt({ messages: prompt.messages, template, tokenizer, host: this.#templates });
    }
    return { ids: prompt.ids, startsInThink: tokenizer !== undefined && promptOpensThink(prompt.ids, tokenizer) };
  }
}

/**
 * Generates a token: some drivers finish compiling a kernel only when it first runs, which the first question would have to
 * wait for.
 */
async function warmUp(sessions: ChatSessions, signal: AbortSignal): Promise<void> {
  try {
    const options = resolveOptions({ maxNewTokens: 1 });
    const { session, conversation } = await sessions.take(options);
    const prompts = [{ ids: [0, 0], startsInThink: false, conversation }];
    const events = generate(session, { prompts, options, stopIds: [], signal });
    while ((await events.next()).done !== true);
    conversation.truncate(0);
    throwIfAborted(signal);
  } catch (error) {
    sessions.dispose();
    throw error;
  }
}

/** The model's own settings as options; without sampling its temperature is 0. */
function recommendedOptions({ doSample, ...settings }: SamplingDefaults): Partial<GenerateOptions> {
  return doSample === false ? { ...settings, temperature: 0 } : settings;
}
