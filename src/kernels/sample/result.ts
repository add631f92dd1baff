import { R1Error } from "../../errors.ts";

/** Bytes that one row's result takes: (token, log-probability, entropy, flags and argmax). */
export const RESULT_BYTES = 16;
/** The argmax has 24 bits of the last word, the flags the other 8. */
export const MAX_VOCAB = 1 << 24;

export const ResultFlag = { brokenLogits: 1, nothingAllowed: 2 } as const;

/** What the sampler says of one row. */
export interface SampleResult {
  /** The chosen id, always inside the vocabulary; 0 when `nothingAllowed`. */
  readonly token: number;
  /** ln p of the target if one was given, else of `token`, under the raw logits at temperature 1; −Infinity if forbidden. */
  readonly logprob: number;
  /** Of the raw distribution at temperature 1, in nats. */
  readonly entropy: number;
  /** Id of the largest raw logit, the lowest on ties. */
  readonly argmax: number;
  /** A logit was NaN, +Infinity or at least 1e38; such ids were treated as forbidden. */
  readonly brokenLogits: boolean;
  /** Every id was forbidden (−Infinity, at most −1e38, or broken). */
  readonly nothingAllowed: boolean;
}

/**
 * Reads the first `rows` results out of the bytes of a sampler's `results`.
 * @throws R1Error E_INTERNAL when there are fewer bytes
 */
export function decodeResults(bytes: Uint8Array, rows: number): SampleResult[] {
  if (bytes.byteLength < rows * RESULT_BYTES) {
    throw new R1Error("E_INTERNAL", `${bytes.byteLength} bytes of sampling results for ${rows} rows`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: rows }, (_, row) => {
    const at = row * RESULT_BYTES;
    const last = view.getUint32(at + 12, true);
    const flags = last >>> 24;
    return {
      token: view.getUint32(at, true),
      logprob: view.getFloat32(at + 4, true),
      entropy: view.getFloat32(at + 8, true),
      argmax: last & (MAX_VOCAB - 1),
      brokenLogits: (flags & ResultFlag.brokenLogits) !== 0,
      nothingAllowed: (flags & ResultFlag.nothingAllowed) !== 0,
    };
  });
}
