import { isJson } from "./messages.ts";
import type { ChatMessage } from "./messages.ts";
import type { TemplateMessage } from "./render-template.ts";
import type { Json } from "./jinja/from-json.ts";

/** A template that goes through the parts of a content (`for part in message.content`). */
const LOOPS_OVER_PARTS = /\bfor\s+\w+\s+in\s+[\w.[\]'"]*\bcontent\b['"\]]*(?!['"\]\w]|\s*[.|([])/;
/** One that asks whether there is a content. */
const ASKS_FOR_CONTENT = /\bcontent(?:['"]\s*\])?\s+is\s+(?:not\s+)?(?:none|defined|undefined|null)\b/i;
/** One that takes the arguments of a call as data, which clients send as a text of JSON. */
const ARGUMENTS_AS_DATA = /\barguments(?:['"]\s*\])?\s*(?:\|\s*(?:tojson|items|dictsort)|\.items\b)/;

/**
 * Messages as a template wants them. Templates differ in what they take, and clients in what they send; what a template
 * takes is seen in its source, as vLLM and llama.cpp do it:
 * - parts of text are given to a template that goes through them, and joined for all others;
 * - no content is None where the template asks for it, and otherwise empty, which prints nothing;
 * - `developer` is `system` where the template does not know it;
 * - arguments of tool calls that are JSON are data where the template writes or reads them as such.
 */
export function templateMessages(messages: readonly ChatMessage[], source: string): TemplateMessage[] {
  const takesParts = LOOPS_OVER_PARTS.test(source);
  const asks = ASKS_FOR_CONTENT.test(source);
  const knowsDeveloper = source.includes("developer");
  const readsArguments = ARGUMENTS_AS_DATA.test(source);
  return messages.map(({ role, content, parts, absent, name, reasoning_content, tool_call_id, tool_calls }) => {
    const said: Json | undefined =
      absent !== undefined && asks
        ? absent === "null"
          ? null
          : undefined
        : parts && takesParts
          ? partsOf(parts)
          : content;
    return {
      role: role === "developer" && !knowsDeveloper ? "system" : role,
      content: said,
      name,
      reasoning_content,
      tool_call_id,
      tool_calls: readsArguments ? tool_calls?.map(withArguments) : tool_calls,
    };
  });
}

function partsOf(parts: NonNullable<ChatMessage["parts"]>): Json {
  return parts.map(({ type, text }) => ({ type, text }));
}

type Call = Readonly<Record<string, Json | undefined>>;

function withArguments(call: Call): Call {
  const { function: called } = call;
  return isCall(called) ? { ...call, function: readArguments(called) } : readArguments(call);
}

function isCall(value: Json | undefined): value is { readonly [field: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function readArguments(call: Call): Call {
  const { arguments: given } = call;
  if (typeof given !== "string") return call;
  try {
    const data: unknown = JSON.parse(given);
    return isJson(data, 0) ? { ...call, arguments: data } : call;
  } catch {
    // Not JSON: the template gets the text.
    return call;
  }
}
