import { R1Error } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { quote } from "../quote.ts";
import type { ByteSource } from "../source.ts";

/** What a header may take: the largest vocabularies in use, with merges and scores, take under 20 MB. */
export const MAX_HEADER_BYTES = 64 * 2 ** 20;

/** Bytes of the first read: what a web server is asked for anyway as a file is opened. */
const FIRST_BYTES = 128 * 1024;
const NEXT_BYTES = 2 ** 20;

/**
 * Reads a little-endian header from the beginning of a file, in pieces of a megabyte. `fill` is awaited where `lacks` says
 * so; what follows is read without waiting, since a vocabulary has half a million strings.
 */
export class HeaderCursor {
  readonly #source: ByteSource;
  readonly #signal: AbortSignal | undefined;
  #bytes = new Uint8Array();
  #view = new DataView(this.#bytes.buffer);
  /** Where the piece in memory lies in the file. */
  #start = 0;
  #at = 0;

  constructor(source: ByteSource, signal: AbortSignal | undefined) {
    this.#source = source;
    this.#signal = signal;
  }

  /** Bytes of the header read so far. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** Bytes of the file that follow. */
  get left(): number {
    return this.#source.size - this.position;
  }

  error(code: ErrorCode, problem: string): R1Error {
    const file = this.#source.name;
    return new R1Error(code, `${file}: ${problem}`, { file });
  }

  lacks(bytes: number): boolean {
    return this.#at + bytes > this.#bytes.length;
  }

  /**
   * Makes the next bytes readable. The number is held to the file's size and to the cap before anything is allocated.
   * @param what for messages
   * @throws R1Error E_FILE_TRUNCATED, E_HEADER_TOO_LARGE, and what the source throws
   */
  async fill(bytes: number, what: string): Promise<void> {
    const { position, left } = this;
    if (bytes > left) {
      throw this.error("E_FILE_TRUNCATED", `${what}: ${bytes} bytes from byte ${position}; only ${left} follow`);
    }
    if (position + bytes > MAX_HEADER_BYTES) {
      throw this.error(
        "E_HEADER_TOO_LARGE",
        `${what}: the header goes on to byte ${position + bytes}; the limit is ${MAX_HEADER_BYTES}`,
      );
    }
    const rest = this.#bytes.subarray(this.#at);
    const end = position + rest.length;
    const wanted = Math.max(bytes - rest.length, end === 0 ? FIRST_BYTES : NEXT_BYTES);
    const more = await this.#source.read(end, Math.min(wanted, this.#source.size - end), this.#signal);
    this.#bytes = new Uint8Array(rest.length + more.length);
    this.#bytes.set(rest);
    this.#bytes.set(more, rest.length);
    this.#view = new DataView(this.#bytes.buffer);
    this.#start = position;
    this.#at = 0;
  }

  u8 = (): number => this.#view.getUint8(this.#take(1));
  i8 = (): number => this.#view.getInt8(this.#take(1));
  u16 = (): number => this.#view.getUint16(this.#take(2), true);
  i16 = (): number => this.#view.getInt16(this.#take(2), true);
  u32 = (): number => this.#view.getUint32(this.#take(4), true);
  i32 = (): number => this.#view.getInt32(this.#take(4), true);
  f32 = (): number => this.#view.getFloat32(this.#take(4), true);
  f64 = (): number => this.#view.getFloat64(this.#take(8), true);
  u64 = (): bigint => this.#view.getBigUint64(this.#take(8), true);
  i64 = (): bigint => this.#view.getBigInt64(this.#take(8), true);

  /** A copy, which may outlive the piece and be seen as numbers of any size. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    const begin = this.#take(length);
    return this.#bytes.slice(begin, begin + length);
  }

  text(length: number, decoder: TextDecoder): string {
    const begin = this.#take(length);
    return decoder.decode(this.#bytes.subarray(begin, begin + length));
  }

  /**
   * A count, length or offset of 64 bits.
   * @throws R1Error when it is above `most`
   */
  size(code: ErrorCode, what: string, most: number): number {
    const value = this.u64();
    if (value > BigInt(most)) throw this.error(code, `${what}: found ${value}; the limit is ${most}`);
    return Number(value);
  }

  /** A string that names something: short, and UTF-8. */
  async name(code: ErrorCode, what: string, most: number): Promise<string> {
    if (this.lacks(8)) await this.fill(8, what);
    const length = this.size(code, `length of ${what}`, most);
    if (this.lacks(length)) await this.fill(length, what);
    try {
      return this.text(length, STRICT);
    } catch {
      throw this.error(code, `${what}: found bytes that are not UTF-8; expected text`);
    }
  }

  #take(bytes: number): number {
    const at = this.#at;
    this.#at += bytes;
    return at;
  }
}

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How messages speak of a metadata key. */
export function keyField(key: string): string {
  return `metadata ${quote(key)}`;
}
