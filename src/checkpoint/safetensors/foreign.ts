/** First bytes of files that people load in place of safetensors, as Latin-1. */
const SIGNATURES: readonly (readonly [signature: string, description: string])[] = [
  ["GGUF", "a GGUF file"],
  ["PK\u0003\u0004", "a zip archive (PyTorch's own format)"],
  ["version ", "a Git LFS pointer, which stands for a file that was not downloaded"],
  ["<!DOCTYP", "a web page"],
];

/** Which other format a file's first 8 bytes belong to, if one is known. */
export function foreignFormat(first: Uint8Array): string | undefined {
  const text = String.fromCharCode(...first);
  return SIGNATURES.find(([signature]) => text.startsWith(signature))?.[1];
}
