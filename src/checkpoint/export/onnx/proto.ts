/** Bytes that are made while they are read; how many is known before. */
export interface StreamedBytes {
  readonly size: number;
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>;
}

/** An encoded protobuf message, or some of its fields: pieces one after another. */
export type Proto = readonly (Uint8Array | StreamedBytes)[];

const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;

export function protoSize(message: Proto): number {
  return message.reduce((sum, part) => sum + ("chunks" in part ? part.size : part.length), 0);
}

export async function* protoChunks(message: Proto, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  for (const part of message) {
    if ("chunks" in part) yield* part.chunks(signal);
    else yield part;
  }
}

/** An integer; negative ones take ten bytes, as int64 has it. */
export function intField(field: number, value: number): Proto {
  return [Uint8Array.from([...varint((field << 3) | VARINT), ...varint(value)])];
}

export function floatField(field: number, value: number): Proto {
  const bytes = new Uint8Array(5);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (field << 3) | FIXED32);
  view.setFloat32(1, value, true);
  return [bytes];
}

export function textField(field: number, text: string): Proto {
  return messageField(field, [new TextEncoder().encode(text)]);
}

/** A message, bytes, or packed numbers, after their length. */
export function messageField(field: number, message: Proto): Proto {
  return [Uint8Array.from([...varint((field << 3) | LENGTH_DELIMITED), ...varint(protoSize(message))]), ...message];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}
