/** Hashes bytes as they come. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  /** The hash in lower-case hexadecimal. Nothing can be added after that. */
  digest(): Promise<string>;
}

const BLOCK = 64;

/** First 32 bits of the fractional parts of the cube roots of the first 64 primes (FIPS 180-4, 4.2.2). */
const ROUND = Int32Array.from(firstPrimes(64), (prime) => fraction(Math.cbrt(prime)));
/** Those of the square roots of the first eight (FIPS 180-4, 5.3.3). */
const START = firstPrimes(8).map((prime) => fraction(Math.sqrt(prime)));

/**
 * SHA-256 (FIPS 180-4) of bytes that arrive in pieces: the browser's own takes all of them at once, which gigabytes are
 * too many for.
 */
export class Sha256 implements Hasher {
  readonly #state = Int32Array.from(START);
  readonly #schedule = new Int32Array(BLOCK);
  readonly #rest = new Uint8Array(BLOCK);
  #restBytes = 0;
  #bytes = 0;

  update(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(BLOCK - this.#restBytes, bytes.length);
      this.#rest.set(bytes.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < BLOCK) return;
      this.#compress(this.#rest, 0, BLOCK);
      this.#restBytes = 0;
    }
    const whole = bytes.length - ((bytes.length - at) % BLOCK);
    this.#compress(bytes, at, whole);
    this.#rest.set(bytes.subarray(whole));
    this.#restBytes = bytes.length - whole;
  }

  async digest(): Promise<string> {
    const bits = this.#bytes * 8;
    const padding = new Uint8Array((this.#restBytes < BLOCK - 8 ? BLOCK : 2 * BLOCK) - this.#restBytes);
    padding[0] = 0x80;
    const view = new DataView(padding.buffer);
    view.setUint32(padding.length - 8, Math.floor(bits / 2 ** 32));
    view.setUint32(padding.length - 4, bits % 2 ** 32);
    this.update(padding);
    return Array.from(this.#state, (word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }

  /** Takes whole blocks, bytes [begin, end). */
  #compress(bytes: Uint8Array, begin: number, end: number): void {
    const [state, w] = [this.#state, this.#schedule];
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let at = begin; at < end; at += BLOCK) {
      for (let t = 0; t < 16; t++) w[t] = view.getInt32(at + 4 * t);
      for (let t = 16; t < BLOCK; t++) {
        const x = w[t - 15] ?? 0;
        const y = w[t - 2] ?? 0;
        const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
        const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
        w[t] = ((w[t - 16] ?? 0) + s0 + (w[t - 7] ?? 0) + s1) | 0;
      }
      mix(state, w);
    }
  }
}

/** The 64 rounds of a block, written out: an array per block would cost more than the rounds. */
function mix(state: Int32Array, w: Int32Array): void {
  const round = ROUND;
  let a = state[0] ?? 0;
  let b = state[1] ?? 0;
  let c = state[2] ?? 0;
  let d = state[3] ?? 0;
  let e = state[4] ?? 0;
  let f = state[5] ?? 0;
  let g = state[6] ?? 0;
  let h = state[7] ?? 0;
  for (let t = 0; t < BLOCK; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (round[t] ?? 0) + (w[t] ?? 0)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  state[0] = (state[0] ?? 0) + a;
  state[1] = (state[1] ?? 0) + b;
  state[2] = (state[2] ?? 0) + c;
  state[3] = (state[3] ?? 0) + d;
  state[4] = (state[4] ?? 0) + e;
  state[5] = (state[5] ?? 0) + f;
  state[6] = (state[6] ?? 0) + g;
  state[7] = (state[7] ?? 0) + h;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < count; n++) {
    if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  }
  return primes;
}

/** A double's 52 bits hold more than the 32 that are taken. */
function fraction(x: number): number {
  return Math.floor((x - Math.floor(x)) * 2 ** 32) | 0;
}
