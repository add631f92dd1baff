import { R1Error } from "../errors.ts";
import { generationOpensThink } from "./channels.ts";
import { withoutEarlierThoughts } from "./history.ts";
import type { ChatMessage } from "./messages.ts";
import type { RenderedTemplate } from "./render-template.ts";
import { THINK_START } from "./tags.ts";
import type { TemplateHost } from "./template-host.ts";
import { requireTemplate } from "./template.ts";
import type { ChatTemplate, RenderOptions } from "./template.ts";
import type { Tokenizer } from "./tokenizer.ts";

// The other rooms' way in: who builds a prompt needs its messages too.
export interface PromptRequest extends Pick<RenderOptions, "extra" | "now"> {
  readonly messages: readonly ChatMessage[];
  readonly template: ChatTemplate | undefined;
  readonly tokenizer: Tokenizer | undefined;
  /** Where the template is rendered: in a worker, unless it is the project's own. */
  readonly host: TemplateHost;
  /** Ends the prompt where the assistant's reply begins; true by default. */
  readonly addGenerationPrompt?: boolean;
  /**
   * Makes the reply begin inside a thought, as DeepSeek advises for R1: older copies of its template stop before
   * `<think>\n`, which is then added. False by default: the template's rendering stays as it is.
   */
  readonly forceThink?: boolean;
  /**
   * Makes tokens of what messages say, where it reads like a token (`<｜Assistant｜>`). False by default: what somebody
   * types is text, or else pasted text could speak for the model.
   */
  readonly parseSpecial?: boolean;
}

export interface Prompt {
  readonly text: string;
  readonly ids: number[];
  /** The model goes on inside a thought. */
  readonly startsInThink: boolean;
  /** Start and end, in UTF-16 units, of each part of the text that messages say; what the template writes lies between. */
  readonly spans: readonly number[];
}

/**
 * Writes a conversation out for the model. The template itself writes BOS, so the tokens are those of its text alone:
 * adding BOS once more is a known way to make R1 worse. Earlier thoughts are left out (see `withoutEarlierThoughts`).
 * @throws R1Error E_TOKENIZER_MISSING, E_TEMPLATE_MISSING, E_TEMPLATE
 */
export async function buildPrompt(request: PromptRequest): Promise<Prompt> {
  const { messages, tokenizer, host, addGenerationPrompt = true, forceThink = false, extra, now } = request;
  const template = requireTemplate(request.template);
  if (!tokenizer) throw new R1Error("E_TOKENIZER_MISSING", "the checkpoint has no tokenizer; expected tokenizer.json");
  const options: RenderOptions = {
    addGenerationPrompt,
    bosToken: tokenizer.bosToken,
    eosToken: tokenizer.eosToken,
    // llama.cpp's copy of R1-Distill-Qwen's template closes the thought at once unless this variable says otherwise.
    extra: { ...(forceThink ? { enable_thinking: true } : {}), ...extra },
    ...(now === undefined ? {} : { now }),
  };
  const render = (list: readonly ChatMessage[]): Promise<RenderedTemplate> =>
    host.render(template.request(list, options));
  const kept = await withoutEarlierThoughts(messages, template.source, async (list) => (await render(list)).text);
  const rendered = await render(kept);
  const plain = request.parseSpecial === true ? [] : rendered.spans;
  const encode = (text: string): number[] => tokenizer.encode(text, { plain, template: template.source });
  const continued = addGenerationPrompt ? undefined : kept.at(-1);
  const startsInThink = generationOpensThink(rendered, tokenizer, continued?.role === "assistant");
  const text = forceThink && addGenerationPrompt && !startsInThink ? `${rendered.text}${THINK_START}\n` : rendered.text;
  return {
    text,
    ids: encode(text),
    startsInThink: startsInThink || text !== rendered.text,
    spans: rendered.spans,
  };
}
