/**
 * GPT-2's byte-level alphabet: byte-level vocabularies write each byte as one printable character, itself where it has
 * one, otherwise the next from U+0100 on (Radford et al. 2019, `bytes_to_unicode`). Index is the byte.
 */
export const CHAR_OF_BYTE: readonly string[] = (() => {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCharCode(printable(byte) ? byte : next++));
})();

/** The way back. */
export const BYTE_OF_CHAR: ReadonlyMap<string, number> = new Map(
  CHAR_OF_BYTE.map((char, byte) => [char, byte] as const),
);
