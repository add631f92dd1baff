/** One file of an export. Its bytes are made while they are read, so that no more than a tensor is in memory at once. */
export interface ExportFile {
  /** Path inside the exported folder, with slashes. */
  readonly path: string;
  /** Bytes that {@link ExportFile.chunks} will give, known before. */
  readonly size: number;
  /** @throws R1Error what the checkpoint's reading throws, E_QUANTIZATION for values that the type cannot hold */
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

export function textFile(path: string, text: string): ExportFile {
  const bytes = new TextEncoder().encode(text);
  return {
    path,
    size: bytes.length,
    async *chunks() {
      yield bytes;
    },
  };
}

export function jsonFile(path: string, value: unknown): ExportFile {
  return textFile(path, `${JSON.stringify(value, undefined, 2)}\n`);
}
