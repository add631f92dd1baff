import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { isR1Error } from "../../errors.ts";
import { openCheckpoint } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { fuzzRuns, fuzzTimeout } from "../node/fuzz-runs.ts";
import { buildSafetensors, frameSafetensors, memoryFolder } from "../testing.ts";
import type { MemoryFolder } from "../testing.ts";

vi.setConfig({ testTimeout: fuzzTimeout(fuzzRuns(1500)) });

const VALID = buildSafetensors(
  {
    "model.embed_tokens.weight": { dtype: "F32", shape: [3, 4], data: new Uint8Array(48).fill(7) },
    "model.norm.weight": { dtype: "BF16", shape: [4], data: new Uint8Array(8).fill(8) },
    empty: { dtype: "I64", shape: [0, 5], data: new Uint8Array() },
    scalar: { dtype: "F64", shape: [], data: new Uint8Array(8).fill(9) },
  },
  { format: "pt" },
);
const HEADER_END = 8 + Number(new DataView(VALID.buffer).getBigUint64(0, true));
const HEADER = new TextDecoder().decode(VALID.subarray(8, HEADER_END));
const DATA = VALID.subarray(HEADER_END);

/** Bytes per element, written down a second time so that the parser is not checked with its own table. */
const BYTES: Readonly<Record<string, number>> = Object.fromEntries([
  ["F4", 0.5],
  ...["F6_E2M3", "F6_E3M2"].map((name) => [name, 0.75]),
  ...["BOOL", "U8", "I8", "F8_E5M2", "F8_E4M3", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ"].map((name) => [name, 1]),
  ...["I16", "U16", "F16", "BF16"].map((name) => [name, 2]),
  ...["I32", "U32", "F32"].map((name) => [name, 4]),
  ...["C64", "F64", "I64", "U64"].map((name) => [name, 8]),
]);

/** Opens and reads everything; returns undefined when it was refused with a typed error. */
async function readAll(folder: MemoryFolder, largestFile: number): Promise<Checkpoint | undefined> {
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = await openCheckpoint(folder);
  } catch (error) {
    if (!isR1Error(error) || error.code === "E_INTERNAL") throw error;
    expect(error.message.length).toBeLessThan(1000);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  }
  if (checkpoint) {
    for (const { name, dtype, shape, bytes } of checkpoint.tensors.values()) {
      const count = shape.reduce((product, size) => product * size, 1);
      expect(count * (BYTES[dtype] ?? Number.NaN)).toBe(bytes);
      expect(await checkpoint.read(name)).toHaveLength(bytes);
    }
  }
  // Nothing is asked of a file that it does not have: what is read is what is allocated.
  for (const { offset, length } of folder.reads) expect(offset + length).toBeLessThanOrEqual(largestFile);
  return checkpoint;
}

async function check(bytes: Uint8Array): Promise<void> {
  const folder = memoryFolder({ "model.safetensors": bytes });
  const checkpoint = await readAll(folder, bytes.length);
  if (!checkpoint) return;
  // Length, header and tensors together are the whole file, each byte once.
  const covered = folder.reads.reduce((sum, { length }) => sum + length, 0);
  expect(covered).toBe(bytes.length);
}

function edit(bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array {
  return Uint8Array.of(...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + removed));
}

/** Strings and values that matter to this format. */
const piece = fc.oneof(
  fc.constantFrom(
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    "\\u0061",
    "\0",
    "-",
    ".",
    "e9",
    "null",
    "true",
    " ",
    "\ufeff",
  ),
  fc.constantFrom(
    '"dtype":"F32",',
    '"shape":[0],',
    '"data_offsets":[0,0]',
    '"__metadata__":{}',
    '"__proto__":',
    "F16",
    "F4",
  ),
  fc.constantFrom("0", "1", "4294967296", "9007199254740991", "9007199254740993", "18446744073709551615", "1e400"),
  fc.string({ unit: "binary", maxLength: 5 }),
);

describe("a mutated file is either consistent or refused with a typed error", () => {
  it("as it is, it opens", async () => {
    await check(VALID);
    expect((await openCheckpoint(memoryFolder({ "model.safetensors": VALID }))).tensors.size).toBe(4);
  });

  it("flipped bits", async () => {
    const flips = fc.array(fc.tuple(fc.nat(HEADER_END - 1), fc.nat(7)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(flips, async (bits) => {
        const bytes = VALID.slice();
        for (const [at, bit] of bits) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
        await check(bytes);
      }),
      { numRuns: fuzzRuns(1500) },
    );
  });

  it("every length that it can be cut to", async () => {
    for (let length = 0; length < VALID.length; length++) {
      const folder = memoryFolder({ "model.safetensors": VALID.subarray(0, length) });
      await expect(openCheckpoint(folder), `${length} bytes`).rejects.toMatchObject({ name: "R1Error" });
    }
  });

  it("random bytes", async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.uint8Array({ maxLength: 64 }).map((header) => frameSafetensors(header)),
    );
    await fc.assert(fc.asyncProperty(bytes, check), { numRuns: fuzzRuns(500) });
  });

  it("edited header text, with its length set right", async () => {
    const edits = fc.array(fc.tuple(fc.nat(HEADER.length), fc.nat(12), piece), { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(edits, async (list) => {
        let header: Uint8Array = new TextEncoder().encode(HEADER);
        for (const [at, removed, text] of list) header = edit(header, at, removed, new TextEncoder().encode(text));
        await check(frameSafetensors(header, DATA));
      }),
      { numRuns: fuzzRuns(1500) },
    );
  });

  it("well-formed headers of any shapes, dtypes and offsets", async () => {
    const size = fc.oneof(fc.nat(4), fc.maxSafeNat(), fc.constantFrom(-1, 0.5, 2 ** 32, 2 ** 53));
    const value = fc.oneof(size, fc.constantFrom(null, "8", true, [], {}));
    const tensor = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom(...Object.keys(BYTES)), fc.constantFrom("Q8_0", 32, null)),
        shape: fc.oneof(fc.array(fc.nat(4), { maxLength: 3 }), fc.array(value, { maxLength: 4 }), value),
        data_offsets: fc.oneof(fc.tuple(fc.nat(16), fc.nat(64)), fc.array(value, { maxLength: 3 }), value),
        extra: fc.jsonValue({ maxDepth: 3 }),
      },
      { requiredKeys: [] },
    );
    const name = fc.oneof(fc.constantFrom("a", "b", "__proto__", "__metadata__", "constructor"), fc.string());
    const header = fc.dictionary(name, fc.oneof({ weight: 5, arbitrary: tensor }, value), { maxKeys: 4 });
    await fc.assert(
      fc.asyncProperty(header, fc.nat(64), async (json, dataBytes) => {
        await check(frameSafetensors(JSON.stringify(json), new Uint8Array(dataBytes)));
      }),
      { numRuns: fuzzRuns(1000) },
    );
  });

  it("accepts every header that keeps the rules", async () => {
    const sizes = fc.array(fc.tuple(fc.constantFrom(...Object.keys(BYTES)), fc.array(fc.nat(3), { maxLength: 3 })), {
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(sizes, fc.infiniteStream(fc.nat()), async (list, random) => {
        let end = 0;
        const entries: string[] = [];
        for (const [i, [dtype, sizesOf]] of list.entries()) {
          // Times 8, so that elements of 4 and 6 bits fill bytes.
          const shape = [8, ...sizesOf];
          const begin = end;
          end += shape.reduce((product, one) => product * one, 1) * (BYTES[dtype] ?? 0);
          entries.push(`"t${i}":${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
        }
        const order = entries.map((entry) => [random.next().value, entry] as const).toSorted((a, b) => a[0] - b[0]);
        const bytes = frameSafetensors(`{${order.map(([, entry]) => entry).join()}}`, new Uint8Array(end));
        await check(bytes);
        expect((await openCheckpoint(memoryFolder({ "model.safetensors": bytes }))).tensors.size).toBe(list.length);
      }),
      { numRuns: fuzzRuns(300) },
    );
  });

  it("an index of any content", async () => {
    const shard = fc.oneof(fc.constantFrom("1.safetensors", "2.safetensors", "../1.safetensors", "", "."), fc.string());
    const map = fc.oneof(fc.dictionary(fc.constantFrom("scalar", "empty", "x"), shard), fc.jsonValue());
    const index = fc.oneof(
      fc
        .record({ weight_map: map, metadata: fc.jsonValue() }, { requiredKeys: [] })
        .map((value) => JSON.stringify(value)),
      fc.array(piece, { maxLength: 8 }).map((parts) => `{"weight_map":{"scalar":"1.safetensors"${parts.join("")}}}`),
    );
    await fc.assert(
      fc.asyncProperty(index, async (text) => {
        const files = { "model.safetensors.index.json": text, "1.safetensors": VALID, "2.safetensors": VALID };
        await readAll(memoryFolder(files), Math.max(VALID.length, new TextEncoder().encode(text).length));
      }),
      { numRuns: fuzzRuns(500) },
    );
  });
});
