/** Tags that models put around a thought. */
const TAG = /<(\/?)(?:think|thinking|thought|reasoning)>/gi;

/**
 * What a reply says outside its thoughts: what follows the end of the last one. A thought that the prompt opened has
 * only its end tag.
 * @returns undefined where a thought is never closed: the reply was cut, and nothing in it is an answer
 */
export function withoutThoughts(text: string): string | undefined {
  let [end, open] = [0, false];
  for (const tag of text.matchAll(TAG)) {
    open = tag[1] === "";
    if (!open) end = tag.index + tag[0].length;
  }
  return open ? undefined : text.slice(end);
}
