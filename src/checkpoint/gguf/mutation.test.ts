import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isR1Error } from "../../errors.ts";
import { fuzzRuns, fuzzTimeout } from "../node/fuzz-runs.ts";
import { readJson } from "../source.ts";
import { memoryFolder } from "../testing.ts";
import { modelFolder } from "./folder.ts";
import { GGML_TYPES } from "./ggml-type.ts";
import { buildGguf, TINY_METADATA } from "./testing.ts";
import type { WrittenTensor } from "./write.ts";

const VALID = buildGguf(TINY_METADATA, [
  { name: "token_embd.weight", dtype: "Q8_0", shape: [3, 32] },
  { name: "output_norm.weight", dtype: "F32", shape: [4] },
  { name: "blk.0.attn_q.weight", dtype: "F16", shape: [8, 2] },
  { name: "empty", dtype: "Q4_K", shape: [0, 256] },
]);
const HEADER_END = VALID.length - 102 - 26 - 16 - 16 - 32;

/** Opens and reads all; a file is consistent, or refused with a typed error that is fit to be shown. */
async function check(bytes: Uint8Array): Promise<void> {
  const folder = memoryFolder({ "x.gguf": bytes });
  try {
    const model = await modelFolder(folder, "x.gguf");
    for (const { name, dtype, shape, bytes: size } of model.checkpoint?.tensors.values() ?? []) {
      const count = shape.reduce((product, one) => product * one, 1);
      const { block, bytes: blockBytes } = GGML_TYPES[dtype as keyof typeof GGML_TYPES];
      expect((count / block) * blockBytes).toBe(size);
      expect(await model.checkpoint?.read(name)).toHaveLength(size);
    }
    for (const file of ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]) {
      await readJson(model, file);
    }
  } catch (error) {
    if (!isR1Error(error) || error.code === "E_INTERNAL") throw error;
    expect(error.message.length).toBeLessThan(1000);
    expect(error.message).not.toMatch(/\p{Cc}/u);
  }
  // Nothing is asked of a file that it does not have: what is read is what is allocated.
  for (const { offset, length } of folder.reads) expect(offset + length).toBeLessThanOrEqual(bytes.length);
}

/** Numbers that matter to counts, lengths, types and offsets. */
const word = fc.oneof(
  fc.constantFrom(0n, 1n, 2n, 8n, 9n, 12n, 13n, 31n, 32n, 63n, 64n, 2n ** 31n, 2n ** 32n, 2n ** 53n, 2n ** 63n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);

async function checkMutated<T>(
  arbitrary: fc.Arbitrary<T>,
  everyTime: number,
  mutate: (value: T) => Uint8Array,
): Promise<void> {
  await fc.assert(
    fc.asyncProperty(arbitrary, (value) => check(mutate(value))),
    { numRuns: fuzzRuns(everyTime) },
  );
}

describe("a mutated GGUF file is either consistent or refused with a typed error", () => {
  it("as it is, it opens", async () => {
    const model = await modelFolder(memoryFolder({ "x.gguf": VALID }), "x.gguf");
    expect(model.checkpoint?.tensors.size).toBe(4);
    await expect(readJson(model, "config.json")).resolves.toMatchObject({ hidden_size: 32 });
  });

  it("every length that it can be cut to", async () => {
    for (let length = 0; length < VALID.length; length++) await check(VALID.slice(0, length));
    const opened = modelFolder(memoryFolder({ "x.gguf": VALID.slice(0, HEADER_END) }), "x.gguf");
    await expect(opened).rejects.toMatchObject({ code: "E_FILE_TRUNCATED" });
  });

  it(
    "flipped bits",
    () =>
      checkMutated(
        fc.array(fc.tuple(fc.nat(HEADER_END - 1), fc.nat(7)), { minLength: 1, maxLength: 4 }),
        1500,
        (bits) => {
          const bytes = VALID.slice();
          for (const [at, bit] of bits) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
          return bytes;
        },
      ),
    fuzzTimeout(fuzzRuns(1500)),
  );

  it(
    "words of 32 and 64 bits written over it",
    () =>
      checkMutated(
        fc.array(fc.tuple(fc.nat(HEADER_END - 8), fc.boolean(), word), { minLength: 1, maxLength: 3 }),
        1500,
        (words) => {
          const bytes = VALID.slice();
          const view = new DataView(bytes.buffer);
          for (const [at, isLong, value] of words) {
            if (isLong) view.setBigUint64(at, value, true);
            else view.setUint32(at, Number(value & 0xffff_ffffn), true);
          }
          return bytes;
        },
      ),
    fuzzTimeout(fuzzRuns(1500)),
  );

  it(
    "pieces cut out and put in",
    () =>
      checkMutated(
        fc.array(fc.tuple(fc.nat(HEADER_END), fc.nat(16), fc.uint8Array({ maxLength: 16 })), {
          minLength: 1,
          maxLength: 3,
        }),
        1000,
        (edits) => {
          let bytes = VALID;
          for (const [at, removed, piece] of edits) {
            bytes = Uint8Array.of(...bytes.subarray(0, at), ...piece, ...bytes.subarray(at + removed));
          }
          return bytes;
        },
      ),
    fuzzTimeout(fuzzRuns(1000)),
  );

  it(
    "a magic, then anything",
    () =>
      checkMutated(fc.uint8Array({ maxLength: 128 }), 500, (rest) =>
        Uint8Array.of(...new TextEncoder().encode("GGUF"), 3, 0, 0, 0, ...rest),
      ),
    fuzzTimeout(fuzzRuns(500)),
  );

  it(
    "any tensors, in files whose data are there",
    () =>
      checkMutated(
        fc.uniqueArray(
          fc.record({
            name: fc.oneof(
              fc.constantFrom("token_embd.weight", "blk.0.attn_k.weight", "rope_freqs.weight"),
              fc.string(),
            ),
            dtype: fc.constantFrom(...Object.keys(GGML_TYPES)) as fc.Arbitrary<WrittenTensor["dtype"]>,
            shape: fc.array(fc.nat(4), { minLength: 1, maxLength: 3 }),
          }),
          { selector: ({ name }) => name, maxLength: 5 },
        ),
        500,
        (tensors) =>
          buildGguf(
            TINY_METADATA,
            tensors.map(({ shape, dtype, name }) => ({
              name,
              dtype,
              shape: [...shape.slice(0, -1), (shape.at(-1) ?? 1) * GGML_TYPES[dtype].block],
            })),
          ),
      ),
    fuzzTimeout(fuzzRuns(500)),
  );
});
