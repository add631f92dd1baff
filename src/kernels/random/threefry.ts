/** A pair of u32. */
export type U32Pair = readonly [number, number];

const ROUNDS = 20;
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
/** Skein's key-schedule parity constant, its low 32 bits. */
const PARITY = 0x1bd11bda;

/**
 * Threefry2x32-20 (Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"; Random123): a
 * keyed bijection of a counter, so that a random number has an address instead of a place in a sequence.
 * @param key two u32
 * @param counter two u32
 * @returns two u32 of random bits
 */
export function threefry2x32(key: U32Pair, counter: U32Pair): [number, number] {
  const schedule = [key[0] >>> 0, key[1] >>> 0, (PARITY ^ key[0] ^ key[1]) >>> 0] as const;
  const word = (i: number): number => schedule[i % 3] ?? 0;
  let x = (counter[0] + word(0)) >>> 0;
  let y = (counter[1] + word(1)) >>> 0;
  for (let round = 0; round < ROUNDS; round++) {
    const turn = ROTATIONS[round % 8] ?? 0;
    x = (x + y) >>> 0;
    y = (((y << turn) | (y >>> (32 - turn))) ^ x) >>> 0;
    if (round % 4 === 3) {
      const step = (round + 1) / 4;
      x = (x + word(step)) >>> 0;
      y = (y + word(step + 1) + step) >>> 0;
    }
  }
  return [x, y];
}

function roundWgsl(round: number): string {
  const turn = ROTATIONS[round % 8] ?? 0;
  const mix = `x += y; y = ((y << ${turn}u) | (y >> ${32 - turn}u)) ^ x;`;
  if (round % 4 !== 3) return mix;
  const step = (round + 1) / 4;
  return `${mix}\n  x += k${step % 3}; y += k${(step + 1) % 3} + ${step}u;`;
}

/** WGSL `threefry2x32(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32>`, the same bits as {@link threefry2x32}. */
export const THREEFRY_WGSL = `fn threefry2x32(key: vec2<u32>, counter: vec2<u32>) -> vec2<u32> {
  let k0 = key.x;
  let k1 = key.y;
  let k2 = ${PARITY}u ^ k0 ^ k1;
  var x = counter.x + k0;
  var y = counter.y + k1;
  ${Array.from({ length: ROUNDS }, (_, round) => roundWgsl(round)).join("\n  ")}
  return vec2<u32>(x, y);
}`;
