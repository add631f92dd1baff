import { describe, expect, it } from "vitest";
import { hasData, readData, titleWithData } from "../node/test-data.ts";
import { memoryFolder } from "../testing.ts";
import { openGguf } from "./file.ts";
import type { GgufFile } from "./file.ts";

const LIST = "malformed/gguf-cases.json";

interface MalformedCase {
  readonly file: string;
  readonly accept: boolean;
  readonly why: string;
}

const CASES = hasData(LIST)
  ? (JSON.parse(new TextDecoder().decode(readData(LIST))) as { readonly cases: readonly MalformedCase[] }).cases
  : [];

async function openBytes(bytes: Uint8Array): Promise<GgufFile> {
  const source = await memoryFolder({ "x.gguf": bytes }).open("x.gguf");
  if (!source) throw new Error("the folder lost its file");
  return openGguf(source);
}

describe.skipIf(!hasData(LIST))(titleWithData("published cases", LIST), () => {
  it.each(CASES)("$file: accepted $accept, $why", async ({ file, accept }) => {
    const opened = openBytes(readData(`malformed/${file}`));
    if (accept) await expect(opened).resolves.toMatchObject({ tensors: [] });
    else await expect(opened).rejects.toMatchObject({ name: "R1Error" });
  });
});

describe.skipIf(!hasData("gguf"))(titleWithData("real files", "gguf"), () => {
  it("of version 3 open", async () => {
    const file = await openBytes(readData("gguf/real-v3.ggml-vocab-gpt-2.gguf"));
    expect(file.metadata.get("tokenizer.ggml.merges")).toHaveLength(50_000);
  });

  it.each([
    ["real-v1.ggml-vocab-llama.gguf", /version 1/],
    ["legacy-ggjt.ggml-vocab.bin", /GGJT/],
  ])("%s is refused by name", async (file, message) => {
    await expect(openBytes(readData(`gguf/${file}`))).rejects.toMatchObject({
      code: "E_FORMAT",
      message: expect.stringMatching(message) as string,
    });
  });
});
