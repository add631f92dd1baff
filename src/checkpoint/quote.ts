import { visible } from "../visible-text.ts";

/** Characters of outside text that a message repeats. */
const MAX_QUOTED = 80;

/**
 * Text from outside as it may stand in a message: in quotes, cut to 80 characters, with everything escaped
 * that could steer a terminal or break the sentence (control and formatting characters, line separators).
 */
export function quote(text: string): string {
  const cut = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return visible(JSON.stringify(cut));
}
