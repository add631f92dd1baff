import { readU32, testGpu } from "../../gpu/node/test-device.ts";
import type { GpuOptions } from "../../gpu/device.ts";
import { uploadStorage } from "../buffers.ts";
import { createSampler, decodeResults, NO_TARGET, seenWords } from "./sample.ts";
import type { SampleResult, SampleRow } from "./sample.ts";

/** Samples from the whole distribution at temperature 1. */
export const PLAIN: SampleRow = {
  seed: 1,
  stream: 0,
  position: 0,
  slot: 0,
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  target: NO_TARGET,
  record: false,
};

export interface SampleCase {
  readonly vocab: number;
  /** [vocab] for each row; fewer than rows are repeated in turn. */
  readonly logits: readonly Float32Array[];
  readonly rows: readonly SampleRow[];
  /** Ids already seen, per slot. */
  readonly seen?: readonly ReadonlySet<number>[];
  /** Rows of the sampler beyond those of the step. */
  readonly spareRows?: number;
}

export interface SampleOutcome {
  readonly results: readonly SampleResult[];
  /** Per row: how many ids were allowed, and the smallest allowed scaled logit. */
  readonly support: readonly { readonly count: number; readonly least: number }[];
  readonly lastToken: readonly number[];
  /** Ids seen after the step, per slot. */
  readonly seen: readonly ReadonlySet<number>[];
}

/** Values that must never be read, let alone chosen, in the padding of a row. */
const POISON = [Number.NaN, Infinity, 1e30];

/** Runs one step of a new sampler. */
export async function runSampler(options: GpuOptions, test: SampleCase): Promise<SampleOutcome> {
  const { vocab, rows } = test;
  const context = await testGpu(options);
  const scope = context.arena.scope("sample test");
  const logitStride = Math.ceil(vocab / 4) * 4 + 4;
  const maxRows = rows.length + (test.spareRows ?? 0);
  const padded = new Float32Array(maxRows * logitStride).map((_, i) => POISON[i % POISON.length] ?? 0);
  rows.forEach((_, r) => padded.set(test.logits[r % test.logits.length] ?? [], r * logitStride));
  const slots = Math.max(...rows.map((row) => row.slot)) + 1;
  const words = seenWords(vocab);
  const mask = new Uint32Array(slots * words);
  test.seen?.forEach((ids, slot) => {
    for (const id of ids) mask[slot * words + (id >> 5)] = (mask[slot * words + (id >> 5)] ?? 0) | (1 << (id & 31));
  });
  const seen = uploadStorage(context, scope, "seen", mask);
  const lastToken = uploadStorage(context, scope, "last", new Uint32Array(slots).fill(777));
  try {
    const sampler = await createSampler(context, scope, {
      maxRows,
      vocab,
      logitStride,
      slots,
      logits: uploadStorage(context, scope, "logits", padded),
      seen,
      lastToken,
    });
    sampler.writeParams(rows);
    const batch = context.commands();
    sampler.encode(batch, rows.length);
    batch.submit();
    const bytes = await readU32(context, sampler.results, rows.length * 4);
    const support = await readU32(context, sampler.support, rows.length * 2);
    const least = new Float32Array(support.buffer);
    const after = await readU32(context, seen, mask.length);
    return {
      results: decodeResults(new Uint8Array(bytes.buffer), rows.length),
      support: rows.map((_, r) => ({ count: support[2 * r + 1] ?? 0, least: least[2 * r] ?? Number.NaN })),
      lastToken: [...(await readU32(context, lastToken, slots))],
      seen: Array.from({ length: slots }, (_, slot) => idsOf(after.subarray(slot * words, (slot + 1) * words))),
    };
  } finally {
    scope.dispose();
  }
}

function idsOf(mask: Uint32Array): Set<number> {
  const ids = new Set<number>();
  mask.forEach((word, i) => {
    for (let bit = 0; bit < 32; bit++) if ((word >>> bit) & 1) ids.add(i * 32 + bit);
  });
  return ids;
}

/** Logits like a language model's: few likely ids, a long tail, on f32. */
export function peakedLogits(vocab: number, next: () => number): Float32Array {
  return Float32Array.from({ length: vocab }, () => {
    const x = next();
    return 4 * x + 6 * x ** 9;
  });
}
