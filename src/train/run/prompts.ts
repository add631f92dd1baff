import { R1Error } from "../../errors.ts";
import { buildPrompt } from "../../text/chat.ts";
import type { TextAssets } from "../../text/load-text.ts";
import type { TemplateHost } from "../../text/template-host.ts";
import type { Tokenizer } from "../../text/tokenizer.ts";

/** Writes a user's message out for the model and says what the template has begun of the reply. */
export interface PromptWriter {
  readonly ids: (message: string) => readonly number[];
  /** What the template has already written of the completion (`<think>\n`), for rewards that look at the whole of it. */
  readonly opening: string;
  readonly startsInThink: boolean;
}

/** Stands for the message while the template is rendered once for all; no template changes it. */
const MARK = "R1-PLAYGROUND-MESSAGE";

/**
 * Rendering a template costs a message to another process, so it is rendered once around a mark that the messages
 * then take the place of.
 * @throws R1Error E_TOKENIZER_MISSING, E_TEMPLATE_MISSING, E_TEMPLATE for a template that changes or repeats messages
 */
export async function createPromptWriter(
  assets: TextAssets,
  tokenizer: Tokenizer,
  host: TemplateHost,
): Promise<PromptWriter> {
  const prompt = await buildPrompt({
    messages: [{ role: "user", content: MARK }],
    template: assets.template,
    tokenizer,
    host,
  });
  const parts = prompt.text.split(MARK);
  const [before, after] = parts;
  if (before === undefined || after === undefined || parts.length !== 2) {
    throw new R1Error(
      "E_TEMPLATE",
      "the chat template does not write the user's message exactly once, as training needs",
    );
  }
  const opened = after.lastIndexOf("<think>");
  return {
    ids: (message) => tokenizer.encode(before + message + after),
    opening: prompt.startsInThink && opened >= 0 ? after.slice(opened) : "",
    startsInThink: prompt.startsInThink,
  };
}
