/**
 * Puts one of GGML's blocks into the device's order.
 * @param from byte at which it begins
 * @param scales the regions that scales go to, of as many blocks as `to`
 * @param block which of these it is
 */
export type Rearrange = (of: DataView, from: number, to: DataView, scales: readonly DataView[], block: number) => void;

/** In GGML's K-quants as in `kernels/weights/k-quant-wgsl.ts` neighbouring weights lie in neighbouring bytes: words are moved. */
const LOW = 0x0f0f0f0f;
const HIGH = 0xf0f0f0f0;
const PAIRS = 0x03030303;
const GROUPS = 8;
/** Bytes of a group's low bits, and of q6_k's pairs of high ones. */
const LOW_BYTES = 16;
const HIGH_BYTES = 8;
const Q4_K_BYTES = GROUPS * LOW_BYTES;
const Q6_K_BYTES = GROUPS * (LOW_BYTES + HIGH_BYTES);

/** Low bits of a group of 32 weights: from the low or the high halves of eight words to both halves of four. */
function lowBits(of: DataView, from: number, high: boolean, to: DataView, at: number): void {
  for (let i = 0; i < LOW_BYTES; i += 4) {
    const even = of.getUint32(from + 2 * i, true);
    const odd = of.getUint32(from + 2 * i + 4, true);
    const word = high ? ((even >>> 4) & LOW) | (odd & HIGH) : (even & LOW) | ((odd & LOW) << 4);
    to.setUint32(at + i, word, true);
  }
}

function copyScales(of: DataView, from: number, bytes: number, scales: DataView | undefined, block: number): void {
  for (let i = 0; i < bytes; i += 2) scales?.setUint16(block * bytes + i, of.getUint16(from + i));
}

/** 16 bytes of scales, then levels: of 64 weights, the first 32 are the low halves of 32 bytes, the others the high ones. */
export const q4KBlock: Rearrange = (of, from, to, [scales], block) => {
  copyScales(of, from, 16, scales, block);
  for (let group = 0; group < GROUPS; group++) {
    const levels = from + 16 + (group >> 1) * 32;
    lowBits(of, levels, group % 2 === 1, to, block * Q4_K_BYTES + group * LOW_BYTES);
  }
};

/**
 * 128 bytes of low halves, 64 of high pairs, 16 scales, an f16: of 128 weights, quarter q has its low bits in the low (q < 2)
 * or high halves of 32 bytes, its high ones in pair q of 32 bytes.
 */
export const q6KBlock: Rearrange = (of, from, to, [scales, halves], block) => {
  copyScales(of, from + 192, 16, scales, block);
  copyScales(of, from + 208, 2, halves, block);
  const at = block * Q6_K_BYTES;
  for (let group = 0; group < GROUPS; group++) {
    const quarter = group & 3;
    const side = group >> 2;
    lowBits(of, from + side * 64 + (quarter & 1) * 32, quarter > 1, to, at + group * LOW_BYTES);
    for (let i = 0; i < HIGH_BYTES; i += 4) {
      let word = 0;
      for (let pair = 0; pair < 4; pair++) {
        const bits = of.getUint32(from + 128 + side * 32 + (i + pair) * 4, true) >>> (quarter * 2);
        word |= (bits & PAIRS) << (pair * 2);
      }
      to.setUint32(at + GROUPS * LOW_BYTES + group * HIGH_BYTES + i, word, true);
    }
  }
};
