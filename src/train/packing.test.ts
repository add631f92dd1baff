import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packSequences, padSequences, type Packing } from "./packing.ts";

/** Sequence i of n tokens: 100·i, 100·i + 1, … */
const ofLengths = (...lengths: readonly number[]) =>
  lengths.map((length, i) => Uint32Array.from({ length }, (_, t) => 100 * i + t));

const members = ({ packs }: Packing) => packs.map(({ sequences }) => sequences);

describe("packing", () => {
  test("puts the longest first, each into the first pack with room", () => {
    const packing = packSequences(ofLengths(3, 7, 4, 6, 5), 10);
    expect(members(packing)).toEqual([[1, 0], [3, 2], [4]]);
    expect(packing.packing_efficiency).toBeCloseTo(25 / 30, 12);
  });

  test("a pack is its tokens, their positions and the sequences' bounds", () => {
    const [pack] = packSequences(ofLengths(2, 3), 8).packs;
    expect(pack).toEqual({
      ids: Uint32Array.of(100, 101, 102, 0, 1),
      positions: Uint32Array.of(0, 1, 2, 0, 1),
      cuSeqlens: Uint32Array.of(0, 3, 5),
      lengths: [3, 2],
      sequences: [1, 0],
    });
  });

  test("equal lengths keep their order", () => {
    expect(members(packSequences(ofLengths(4, 4, 4, 4, 4), 8))).toEqual([[0, 1], [2, 3], [4]]);
  });

  test("nothing gives no packs", () => {
    expect(packSequences([], 8)).toEqual({ packs: [], packing_efficiency: 1 });
    expect(padSequences([], 8, 0)).toEqual({ packs: [], packing_efficiency: 1 });
  });

  test("every sequence is whole in exactly one pack, and no two packs would fit into one", () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 60 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 40, max: 120 }), (sizes, maxTokens) => {
        const sequences = ofLengths(...sizes);
        const packing = packSequences(sequences, maxTokens);
        expect(packSequences(sequences, maxTokens)).toEqual(packing);
        expect(
          members(packing)
            .flat()
            .toSorted((a, b) => a - b),
        ).toEqual([...sequences.keys()]);
        for (const { ids, positions, cuSeqlens, sequences: indexes } of packing.packs) {
          expect(ids.length).toBeLessThanOrEqual(maxTokens);
          for (const [i, index] of indexes.entries()) {
            const bounds = [cuSeqlens[i], cuSeqlens[i + 1]] as const;
            expect(ids.slice(...bounds)).toEqual(sequences[index]);
            expect(positions.slice(...bounds)).toEqual(Uint32Array.from((sequences[index] ?? []).keys()));
          }
        }
        const filled = packing.packs.map(({ ids }) => ids.length).toSorted((a, b) => a - b);
        expect((filled[0] ?? maxTokens) + (filled[1] ?? maxTokens)).toBeGreaterThan(maxTokens);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        if (total > 0) {
          expect(packing.packing_efficiency).toBeCloseTo(total / (packing.packs.length * maxTokens), 12);
        }
      }),
    );
  });
});

describe("padding", () => {
  test("makes every row as long as the longest", () => {
    const padding = padSequences(ofLengths(2, 4, 3), 8, 9);
    expect(members(padding)).toEqual([[0, 1], [2]]);
    expect(padding.packs[0]).toEqual({
      ids: Uint32Array.of(0, 1, 9, 9, 100, 101, 102, 103),
      positions: Uint32Array.of(0, 1, 2, 3, 0, 1, 2, 3),
      cuSeqlens: Uint32Array.of(0, 4, 8),
      lengths: [2, 4],
      sequences: [0, 1],
    });
    expect(padding.packing_efficiency).toBeCloseTo(9 / 12, 12);
  });
});

test("a sequence that is empty or longer than a pack is refused by its index", () => {
  for (const lay of [packSequences, (of: Uint32Array[], most: number) => padSequences(of, most, 0)]) {
    expect(() => lay(ofLengths(2, 9), 8)).toThrow("sequence 1: found 9 tokens; expected 1 to 8 for a pack");
    expect(() => lay(ofLengths(2, 0), 8)).toThrow("sequence 1: found 0 tokens");
  }
});
