/** Cuts a text into pieces of a size, in UTF-16 units. */
export function cut(text: string, size: number): string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, i) => text.slice(i * size, (i + 1) * size));
}

/** Every way to cut a text into pieces of one size, the whole included. */
export function cuts(text: string): string[][] {
  return Array.from({ length: Math.max(1, text.length) }, (_, i) => cut(text, i + 1));
}
