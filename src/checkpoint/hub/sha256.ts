import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Hashes bytes as they come. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The hash in lower-case hexadecimal. Nothing can be added after that. */
  digest(): Promise<string>;
}

/** SHA-256 of bytes that arrive in pieces: the browser's own takes all of them at once, which gigabytes are too many for. */
export class Sha256 implements Hasher {
  readonly #hash = sha256.create();

  update(bytes: Uint8Array): void {
    this.#hash.update(bytes);
  }

  async digest(): Promise<string> {
    return bytesToHex(this.#hash.digest());
  }
}
