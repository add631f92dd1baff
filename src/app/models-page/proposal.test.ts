import { describe, expect, it } from "vitest";
import type { CatalogueForm } from "../../checkpoint/hub/catalogue.ts";
import type { RuntimeName } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import { toFailure } from "../failure.ts";
import { proposalFor } from "./proposal.ts";
import type { JudgedForm } from "./proposal.ts";

const GB = 1e9;

function judged(
  quantization: string,
  weights: number,
  contexts: { readonly safe: number; readonly longest: number },
  { downloads = weights, runtime = "webgpu" }: { readonly downloads?: number; readonly runtime?: RuntimeName } = {},
): JudgedForm {
  const form: CatalogueForm = {
    address: quantization,
    kind: "gguf",
    file: quantization,
    quantization,
    downloadBytes: downloads * GB,
    isExact: true,
  };
  const memory = {
    weights: weights * GB,
    kvCache: 0,
    workspace: 0,
    staging: 0,
    total: weights * GB,
    peak: weights * GB,
  };
  const { safe: safeContext, longest: longestContext } = contexts;
  return { form, advice: { runtime, contextTokens: 512, kv: "f32", batch: 1, memory, safeContext, longestContext } };
}

describe("what is proposed of a model's forms", () => {
  it("is the largest quantization that surely fits with room to think, with its longest context", () => {
    const forms = [
      judged("q4", 1, { safe: 32_768, longest: 32_768 }),
      judged("q8", 1.9, { safe: 16_384, longest: 32_768 }),
      judged("bf16", 3.5, { safe: 2048, longest: 32_768 }),
    ];
    expect(proposalFor(forms)).toMatchObject({ form: { quantization: "q8" }, contextTokens: 16_384, isSure: true });
  });

  it("is of two of a size the one that is downloaded sooner, and our own kernels' before ONNX Runtime's", () => {
    const same = { safe: 8192, longest: 8192 };
    const forms = [
      judged("bf16 → q8", 1.95, same, { downloads: 3.5 }),
      judged("Q8_0", 1.9, same),
      judged("onnx", 3, same, { runtime: "onnx-webgpu" }),
    ];
    expect(proposalFor(forms)).toMatchObject({ form: { quantization: "Q8_0" } });
  });

  it("is the smallest that may fit where nothing surely does, and nothing where nothing may", () => {
    const large = judged("q8", 8, { safe: 0, longest: 8192 });
    const small = judged("q4", 4.7, { safe: 0, longest: 16_384 });
    expect(proposalFor([large, small])).toMatchObject({ form: small.form, contextTokens: 4096, isSure: false });
    expect(proposalFor([judged("q8", 80, { safe: 0, longest: 0 })])).toBeUndefined();
    expect(proposalFor([])).toBeUndefined();
  });
});

describe("a failure that offers something smaller", () => {
  it("carries it to the page, without what no model is loaded in", () => {
    const failure = (details: Readonly<Record<string, string | number>>) =>
      toFailure(new R1Error("E_TOO_LARGE", "no", details));
    expect(failure({ offerContextTokens: 2048, offerFormat: "q4" }).offer).toEqual({
      contextTokens: 2048,
      format: "q4",
    });
    expect(failure({ offerContextTokens: 512, offerFormat: "q3" }).offer).toEqual({ contextTokens: 512 });
    expect(failure({ bytes: 5 }).offer).toBeUndefined();
  });
});
