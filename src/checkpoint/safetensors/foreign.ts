/** First bytes of files that people load in place of safetensors or GGUF, as Latin-1. */
const SIGNATURES: readonly (readonly [signature: string, description: string])[] = [
  ["GGUF", "a GGUF file"],
  // Little-endian "ggjt", "ggmf", "ggml" and "ggla".
  ["tjgg", "a GGJT file, which GGUF replaced in 2023; convert the model again, to GGUF"],
  ["fmgg", "a GGMF file, which GGUF replaced in 2023; convert the model again, to GGUF"],
  ["lmgg", "a GGML file, which GGUF replaced in 2023; convert the model again, to GGUF"],
  ["algg", "a GGLA adapter; expected a model"],
  ["PK\u0003\u0004", "a zip archive (PyTorch's own format)"],
  ["version ", "a Git LFS pointer, which stands for a file that was not downloaded"],
  ["<!DOCTYP", "a web page"],
];

/** Which other format a file's first 8 bytes belong to, if one is known. */
export function foreignFormat(first: Uint8Array): string | undefined {
  const text = String.fromCharCode(...first);
  return SIGNATURES.find(([signature]) => text.startsWith(signature))?.[1];
}
