import { R1Error } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { quote } from "../quote.ts";

/** Wire types of protobuf; groups (3 and 4) went out of use with its second version. */
export const WIRE = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;
const WIRE_NAMES = ["varint", "64-bit", "bytes", "group", "end of group", "32-bit"];
/** Bytes of a varint. */
const MAX_VARINT = 10;

const STRICT = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What every reader of a file knows: its name and its bytes. */
export interface ProtoFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Reads the fields of one protobuf message, and nothing beyond its end: every length is held to what is left of the message
 * that it stands in.
 */
export class ProtoReader {
  readonly #file: ProtoFile;
  /** What the message is, for messages about it. */
  readonly what: string;
  readonly end: number;
  #at: number;
  #wire = 0;

  constructor(file: ProtoFile, what: string, begin = 0, end = file.bytes.length) {
    this.#file = file;
    this.what = what;
    this.#at = begin;
    this.end = end;
  }

  get position(): number {
    return this.#at;
  }

  error(code: ErrorCode, problem: string): R1Error {
    const { name } = this.#file;
    return new R1Error(code, `${name}: ${this.what}: ${problem}`, { file: name });
  }

  /** The next field's number, 0 at the end of the message. Its value must then be read or skipped. */
  next(): number {
    if (this.#at >= this.end) return 0;
    const begin = this.#at;
    const key = this.#varint();
    const number = Math.floor(key / 8);
    this.#wire = key % 8;
    if (key > 0xffff_ffff || number === 0) {
      throw this.error("E_FORMAT", `byte ${begin}: found field number ${number}; expected 1 to 536870911`);
    }
    if (this.#wire === 3 || this.#wire === 4 || this.#wire > 5) {
      const found = WIRE_NAMES[this.#wire] ?? this.#wire;
      throw this.error("E_FORMAT", `byte ${begin}: field ${number}: found wire type ${found}; expected one in use`);
    }
    return number;
  }

  /** An int64, exact within ±2^53. @param field for messages */
  integer(field: string): number {
    this.#expect(WIRE.varint, field);
    return this.#varint(true);
  }

  /** Integers of a repeated field: one, or several packed. */
  integers(field: string, add: (value: number) => void): void {
    if (this.#wire !== WIRE.bytes) {
      add(this.integer(field));
      return;
    }
    const [begin, end] = this.range(field);
    const packed = new ProtoReader(this.#file, `${this.what} ${field}`, begin, end);
    while (packed.position < end) add(packed.#varint(true));
  }

  /** How many numbers of a fixed size a repeated field adds, one or several packed. */
  fixed(field: string, bytes: 4 | 8): number {
    if (this.#wire !== WIRE.bytes) {
      this.#expect(bytes === 4 ? WIRE.fixed32 : WIRE.fixed64, field);
      this.#advance(bytes, field);
      return 1;
    }
    const [begin, end] = this.range(field);
    if ((end - begin) % bytes === 0) return (end - begin) / bytes;
    throw this.error("E_FORMAT", `${field}: found ${end - begin} bytes; expected a multiple of ${bytes}`);
  }

  /** Where the bytes of a field lie in the file. */
  range(field: string): [begin: number, end: number] {
    this.#expect(WIRE.bytes, field);
    const length = this.#varint();
    const begin = this.#at;
    this.#advance(length, field);
    return [begin, this.#at];
  }

  message(field: string, what: string): ProtoReader {
    const [begin, end] = this.range(field);
    return new ProtoReader(this.#file, what, begin, end);
  }

  /** @throws R1Error E_FORMAT for more than `most` bytes, and for what is not UTF-8 */
  text(field: string, most: number): string {
    const [begin, end] = this.range(field);
    if (end - begin > most) {
      throw this.error("E_FORMAT", `${field}: found ${end - begin} bytes; the limit is ${most}`);
    }
    try {
      return STRICT.decode(this.#file.bytes.subarray(begin, end));
    } catch {
      throw this.error("E_FORMAT", `${field}: found bytes that are not UTF-8; expected text`);
    }
  }

  skip(): void {
    if (this.#wire === WIRE.varint) this.#varint();
    else if (this.#wire === WIRE.bytes) this.range("a field");
    else this.#advance(this.#wire === WIRE.fixed32 ? 4 : 8, "a field");
  }

  #expect(wire: number, field: string): void {
    if (this.#wire === wire) return;
    const found = WIRE_NAMES[this.#wire] ?? this.#wire;
    throw this.error("E_FORMAT", `${field}: found wire type ${found}; expected ${WIRE_NAMES[wire]}`);
  }

  #advance(bytes: number, field: string): void {
    const left = this.end - this.#at;
    if (bytes > left) {
      const inFile = this.end === this.#file.bytes.length;
      const problem = `${field}: ${bytes} bytes from byte ${this.#at}; only ${left} follow${inFile ? "" : " in its message"}`;
      throw this.error(inFile ? "E_FILE_TRUNCATED" : "E_FORMAT", problem);
    }
    this.#at += bytes;
  }

  /** @param signed whether the 64 bits are an int64 */
  #varint(signed = false): number {
    const { bytes } = this.#file;
    const begin = this.#at;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT; i++) {
      if (this.#at >= this.end) this.#advance(1, "a number");
      const byte = bytes[this.#at++] ?? 0;
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte > 127) continue;
      // Ten bytes: the sign bit is set, and more is no number of 64 bits.
      if (i === MAX_VARINT - 1) {
        if (byte > 1) break;
        return signed ? Number(BigInt.asIntN(64, this.#exact(begin))) : value;
      }
      return value;
    }
    throw this.error("E_FORMAT", `byte ${begin}: found a number of more than 64 bits`);
  }

  #exact(begin: number): bigint {
    let value = 0n;
    for (let at = this.#at - 1; at >= begin; at--) value = (value << 7n) | BigInt((this.#file.bytes[at] ?? 0) & 127);
    return value;
  }
}

/** How messages speak of something with a name. */
export function named(kind: string, name: string): string {
  return name === "" ? kind : `${kind} ${quote(name)}`;
}
