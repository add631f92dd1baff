import { R1Error } from "../../errors.ts";
import type { ByteSource } from "../source.ts";
import { foreignFormat } from "./foreign.ts";
import { parseHeader } from "./header.ts";
import type { Header } from "./header.ts";
import { checkLayout } from "./layout.ts";

/** Bytes of the header's length, a little-endian u64. */
const LENGTH_BYTES = 8;
/** Cap of @huggingface/hub; the Rust parser's is 100 MB. */
export const MAX_HEADER_BYTES = 25_000_000;

/** One open safetensors file. */
export interface SafetensorsFile extends Header {
  readonly source: ByteSource;
  /** Where tensor data begins in the file: offsets count from here. */
  readonly dataStart: number;
}

/**
 * Reads and checks a file's header; its tensors come in the order of their data. Nothing is read or allocated before
 * the file is known to be large enough for it.
 * @throws R1Error E_HEADER_TOO_SMALL, E_HEADER_TOO_LARGE, E_HEADER_INVALID, E_FILE_TRUNCATED, E_FORMAT (another format's
 * file), E_TENSOR_INFO, E_TENSOR_OFFSETS, E_DTYPE, and what the source throws
 */
export async function openSafetensors(source: ByteSource, signal?: AbortSignal): Promise<SafetensorsFile> {
  const { name: file, size } = source;
  if (size < LENGTH_BYTES) {
    throw new R1Error("E_HEADER_TOO_SMALL", `${file}: ${size} bytes; a safetensors file has at least ${LENGTH_BYTES}`, {
      file,
    });
  }
  const first = await source.read(0, LENGTH_BYTES, signal);
  const length = new DataView(first.buffer).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    const foreign = foreignFormat(first);
    if (foreign) throw new R1Error("E_FORMAT", `${file}: found ${foreign}; expected safetensors`, { file });
    throw new R1Error("E_HEADER_TOO_LARGE", `${file}: header of ${length} bytes; the limit is ${MAX_HEADER_BYTES}`, {
      file,
    });
  }
  const dataStart = LENGTH_BYTES + Number(length);
  if (dataStart > size) {
    throw new R1Error(
      "E_FILE_TRUNCATED",
      `${file}: header of ${length} bytes; only ${size - LENGTH_BYTES} follow its length`,
      {
        file,
      },
    );
  }
  const text = decodeHeader(await source.read(LENGTH_BYTES, Number(length), signal), file);
  const { metadata, tensors } = parseHeader(text, file);
  return { source, dataStart, metadata, tensors: checkLayout(tensors, size - dataStart, file) };
}

function decodeHeader(bytes: Uint8Array, file: string): string {
  try {
    // A byte order mark is kept, so that it is refused like anything else before the brace.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new R1Error("E_HEADER_INVALID", `${file}: the header is not UTF-8`, { file }, { cause: error });
  }
}
