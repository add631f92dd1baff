import { describe, expect, it } from "vitest";
import { formatHubAddress, parseHubAddress } from "./address.ts";

describe("a model's name on the hub", () => {
  it.each([
    ["deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", { revision: "main" }],
    [" deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B\n", { revision: "main" }],
    ["deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B@refs/pr/3", { revision: "refs/pr/3" }],
    ["deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B:a b.gguf", { revision: "main", file: "a b.gguf" }],
    ["deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B@v1.0:Q8_0/x.gguf", { revision: "v1.0", file: "Q8_0/x.gguf" }],
    ["https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", { revision: "main" }],
    ["https://hf.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B/tree/refs%2Fpr%2F3", { revision: "refs/pr/3" }],
    [
      "https://huggingface.co/deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B/blob/main/Q8_0/x%20y.gguf?show=1",
      { revision: "main", file: "Q8_0/x y.gguf" },
    ],
  ])("is read: %s", (text, expected) => {
    const address = parseHubAddress(text);
    expect(address).toEqual({ repository: "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", ...expected });
    expect(parseHubAddress(formatHubAddress(address))).toEqual(address);
  });

  it.each([
    "",
    "name",
    "a/b/c",
    "../x",
    "a/..",
    "a/b@",
    "a/b:",
    "a/b@x..y",
    "a/b@/x",
    "a/b:../x",
    "a/b:x/../y",
    "a b/c",
    "a/b?x",
    "https://huggingface.co/",
    "https://huggingface.co/models",
    "https://huggingface.co/a/%00",
    "https://huggingface.co/a/b/blob/main",
    "https://elsewhere.org/a/b",
    `a/${"b".repeat(97)}`,
    `a/b:${"x".repeat(2000)}`,
  ])("is refused: %s", (text) => {
    expect(() => parseHubAddress(text)).toThrow(expect.objectContaining({ code: "E_HUB_NAME" }));
  });
});
