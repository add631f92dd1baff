import type { ChatMessage } from "./messages.ts";
import { THINK_END, THINK_START } from "./tags.ts";

/** Written by every template of R1's family; other families' templates (Qwen's, Llama's) keep their own rules. */
const R1_ROLE = "<｜Assistant｜>";

/** A thought that no conversation holds (U+E000 is for private use). */
const MARK = "\uE000thought\uE000";

/** A reply without its thought: what follows the last `</think>`, untrimmed, as R1's chat template keeps it. */
export function stripThinking(content: string): string {
  const end = content.lastIndexOf(THINK_END);
  return end < 0 ? content : content.slice(end + THINK_END.length);
}

/**
 * R1 was trained on histories without earlier thoughts. Its current template leaves them out; older copies do not, and
 * then it has to be done before rendering. Which one a checkpoint has can only be seen in what it renders, so a
 * conversation with marked thoughts is rendered to see whether they show.
 * @param template source of the chat template
 * @param render what the template makes of a conversation
 * @returns the conversation to render; as it is for a template of another family or one that leaves thoughts out
 */
export async function withoutEarlierThoughts(
  messages: readonly ChatMessage[],
  template: string,
  render: (messages: readonly ChatMessage[]) => Promise<string>,
): Promise<readonly ChatMessage[]> {
  if (!template.includes(R1_ROLE)) return messages;
  // A reply after the last question is being continued or trained on: its thought is not history.
  const end = messages.findLastIndex(({ role }) => role === "user");
  const isOld = ({ role, content }: ChatMessage, i: number): boolean =>
    i < end && role === "assistant" && content.includes(THINK_END);
  if (!messages.some(isOld)) return messages;
  const replace = (rewrite: (answer: string) => string): ChatMessage[] =>
    messages.map((message, i) =>
      isOld(message, i) ? { ...message, content: rewrite(stripThinking(message.content)) } : message,
    );
  const probe = await render(replace((answer) => `${THINK_START}${MARK}${THINK_END}${answer}`));
  return probe.includes(MARK) ? replace((answer) => answer) : messages;
}
