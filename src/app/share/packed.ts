/** What a link may carry packed, in characters: browsers and chat programs cut longer addresses. */
export const MAX_PACKED_CHARACTERS = 16_384;
/** What it may unpack to, in bytes: a few kilobytes of gzip could otherwise fill a page's memory. */
export const MAX_UNPACKED_BYTES = 262_144;

export type UnpackFailure = "damaged" | "too-large";

export class UnpackError extends Error {
  readonly reason: UnpackFailure;

  constructor(reason: UnpackFailure, cause?: unknown) {
    super(`the packed state is ${reason}`, { cause });
    this.name = "UnpackError";
    this.reason = reason;
  }
}

/** JSON as gzip in base64url, for an address. */
export async function pack(json: Readonly<Record<string, unknown>>): Promise<string> {
  const stream = new Blob([JSON.stringify(json)]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * The other way, from anyone.
 * @throws UnpackError for what is longer than the caps, or is not a packed JSON object
 */
export async function unpack(text: string): Promise<Readonly<Record<string, unknown>>> {
  if (text.length > MAX_PACKED_CHARACTERS) throw new UnpackError("too-large");
  try {
    const json: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await inflate(bytesOf(text))));
    if (isObject(json)) return json;
  } catch (error) {
    throw error instanceof UnpackError ? error : new UnpackError("damaged", error);
  }
  throw new UnpackError("damaged");
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[\w-]*$/.test(text)) throw new UnpackError("damaged");
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}

/** Stops at the cap, however much more there is. */
async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (;;) {
    // One after the other: it is one stream.
    const { done, value } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > MAX_UNPACKED_BYTES) {
      await reader.cancel().catch(() => undefined);
      throw new UnpackError("too-large");
    }
    chunks.push(value);
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer());
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}
