import { describe, expect, it } from "vitest";
import { rowFormats, stackedFormat } from "./device-format.ts";

const SMALL = { parameters: 1e6 };
const LARGE = { parameters: 1.5e9 };

describe("what tensors of a file become on the device", () => {
  it.each([
    [["F16", "F16", "F16"], SMALL, ["f16", "f16", "f16"]],
    // Floats stay together, in the widest.
    [["F16", "F32", "F16"], LARGE, ["f32", "f32", "f32"]],
    [["Q4_K", "Q4_K", "Q6_K"], LARGE, ["q4_k kept", "q4_k kept", "q6_k kept"]],
    [["Q4_0", "Q8_0", "F16"], LARGE, ["q4 kept", "q8 kept", "f16"]],
    [["Q5_K", "Q5_K", "Q6_K"], SMALL, ["f32", "f32", "q6_k kept"]],
    [["Q5_K", "Q5_K", "Q8_0"], LARGE, ["q8", "q8", "q8 kept"]],
    [["Q8_0", "Q4_K", "Q8_0"], { ...LARGE, asked: "q8" }, ["q8 kept", "q8", "q8 kept"]],
  ] as const)("%j one below the other", (dtypes, choice, want) => {
    const found = rowFormats(dtypes, choice).map(({ format, kept }) => (kept ? `${format} kept` : format));
    expect(found).toEqual(want);
  });

  it.each([
    [["Q4_K", "Q4_K"], LARGE, "q4_k", true],
    [["Q4_K", "Q6_K"], SMALL, "f32", false],
    [["Q4_K", "Q6_K"], LARGE, "q8", false],
    [["Q8_0", "Q5_K"], LARGE, "q8", false],
    [["F16", "BF16"], LARGE, "f32", false],
    [["F16", "Q8_0"], LARGE, "q8", false],
    [["Q4_K", "Q4_K"], { ...LARGE, asked: "q4" }, "q4", false],
  ] as const)("%j side by side", (dtypes, choice, format, kept) => {
    expect(stackedFormat(dtypes, choice)).toEqual({ format, kept });
  });
});
