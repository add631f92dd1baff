import { describe, expect, it } from "vitest";
import { expectClose } from "../testing.ts";
import { rotateReference } from "./reference.ts";
import { ropeFrequencies, ropeTable } from "./rope.ts";
import type { RopeScaling } from "./rope.ts";

const LLAMA_31: RopeScaling = {
  type: "llama3",
  factor: 8,
  lowFreqFactor: 1,
  highFreqFactor: 4,
  originalMaxPositionEmbeddings: 8192,
};

describe("rotary frequencies", () => {
  it.each([2, 6, 20, 64, 128])("fall geometrically from 1 to 1 / θ over a head of %i", (headDim) => {
    const frequencies = ropeFrequencies(headDim, 10_000, { type: "none" });
    expect(frequencies).toHaveLength(headDim / 2);
    expect(frequencies[0]).toBe(1);
    const ratio = 10_000 ** (-2 / headDim);
    for (let i = 1; i < headDim / 2; i++) {
      expect((frequencies[i] ?? 0) / (frequencies[i - 1] ?? 0)).toBeCloseTo(ratio, 12);
    }
  });

  it("are the same, divided by the factor, with linear scaling", () => {
    const plain = ropeFrequencies(20, 10_000, { type: "none" });
    const scaled = ropeFrequencies(20, 10_000, { type: "linear", factor: 4 });
    expect([...scaled]).toEqual([...plain].map((frequency) => frequency / 4));
  });

  // Computed apart from this code, by the formula of Hugging Face's `_compute_llama3_parameters`.
  it.each([
    [0, 1],
    [20, 0.016560440080994446],
    [28, 0.0032114459947525913],
    [29, 0.002166570763503359],
    [30, 0.0013718935677611381],
    [32, 0.0005248461609929547],
    [34, 0.00017850781276799638],
    [35, 9.556212353964683e-5],
    [63, 3.068925988914511e-7],
  ])("with Llama 3.1's scaling, pair %i of 64 turns by %f", (pair, wanted) => {
    const frequency = ropeFrequencies(128, 500_000, LLAMA_31)[pair] ?? 0;
    expect(frequency / wanted).toBeCloseTo(1, 12);
  });

  it.each([
    [14, 0.0032114459947525913],
    [15, 0.001290547928209264],
    [17, 9.70828780262767e-5],
    [31, 9.418306725434909e-8],
  ])("with Llama 3.2's scaling, pair %i of 32 turns by %f", (pair, wanted) => {
    const frequency = ropeFrequencies(64, 500_000, { ...LLAMA_31, factor: 32 })[pair] ?? 0;
    expect(frequency / wanted).toBeCloseTo(1, 12);
  });

  it.each([
    [5, 0.056234132519034905],
    [6, 0.0203718327157626],
    [7, 0.006442139149374342],
    [8, 0.0025],
  ])("with other bounds, pair %i of 16 turns by %f", (pair, wanted) => {
    const bounds = { factor: 4, lowFreqFactor: 2, highFreqFactor: 8, originalMaxPositionEmbeddings: 1024 };
    const frequency = ropeFrequencies(32, 10_000, { type: "llama3", ...bounds })[pair] ?? 0;
    expect(frequency / wanted).toBeCloseTo(1, 12);
  });
});

describe("rotary table", () => {
  it("holds cos and sin of every position and pair", () => {
    const frequencies = ropeFrequencies(6, 10_000, { type: "none" });
    const table = ropeTable(frequencies, 33);
    const wanted = Array.from({ length: 33 }, (_, position) =>
      [...frequencies].flatMap((frequency) => [Math.cos(position * frequency), Math.sin(position * frequency)]),
    );
    expect([...table]).toEqual(wanted.flat().map(Math.fround));
  });

  it("is as exact at long positions as at short ones", () => {
    const position = 131_071;
    const table = ropeTable(ropeFrequencies(20, 10_000, { type: "none" }), position + 1);
    // Computed apart from this code, in f64.
    for (const [pair, cos, sin] of [
      [0, -0.8179834993879491, -0.5752416837547893],
      [5, -0.7863836902572383, -0.6177383683222274],
      [9, 0.06313419945922528, 0.998005046509607],
    ] as const) {
      const at = (position * 10 + pair) * 2;
      expectClose([table[at] ?? Number.NaN, table[at + 1] ?? Number.NaN], [cos, sin], 1e-7);
    }
  });

  it("makes dot products depend on the distance of two positions alone", () => {
    const frequencies = ropeFrequencies(6, 10_000, LLAMA_31);
    const dot = (query: number, key: number): number => {
      const a = Float64Array.of(0.3, -1.2, 0.7, 2, -0.4, 1.1);
      const b = Float64Array.of(1, 0.2, -0.6, -1.5, 0.9, 0.1);
      rotateReference(a, query, frequencies);
      rotateReference(b, key, frequencies);
      return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    };
    expect(dot(1012, 1005)).toBeCloseTo(dot(7, 0), 10);
    expect(dot(7, 0)).not.toBeCloseTo(dot(0, 0), 3);
  });
});
