import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { generate } from "./generate.ts";
import { resolveOptions } from "./options.ts";
import { loadModel } from "../model/load.ts";
import { Session } from "../model/session.ts";
import { loadTextAssets, requireTokenizer } from "../model/text-assets.ts";
import { DATA, hasData } from "../testing-data.ts";

interface Expected {
  readonly tokens: readonly string[];
  readonly published_text: string;
  readonly reference_ids: readonly number[];
  readonly results: Readonly<
    Record<
      string,
      {
        readonly greedy200_ids: readonly number[];
        readonly greedy200_text: string;
        readonly per_token_logprob_first32: readonly number[];
        readonly last_logits_first16: readonly number[];
      }
    >
  >;
}

const GGUF_TYPES = ["F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1"];

const ROOT = join(DATA, "checkpoints/stories260K");

/** A real trained checkpoint: 260K parameters, Llama, grouped KV heads, tied embeddings. */
describe.skipIf(!hasData("checkpoints/stories260K"))("stories260K (needs the shared data folder)", () => {
  const expected = hasData("checkpoints/stories260K")
    ? (JSON.parse(readFileSync(join(ROOT, "expected.json"), "utf8")) as Expected)
    : undefined;

  it.each([
    { format: "F32", folder: "hf", file: "model.safetensors", key: "f32" },
    { format: "F16", folder: "hf", file: "model-f16.safetensors", key: "f16" },
    { format: "sharded BF16", folder: "hf-sharded-bf16", file: undefined, key: "bf16" },
    ...GGUF_TYPES.map((type) => ({
      format: `GGUF ${type}`,
      folder: "gguf",
      file: `stories260K-${type}.gguf`,
      key: `gguf-${type}`,
    })),
  ])("$format: logits and 200 greedy steps", async ({ folder: name, file, key }) => {
    const want = expected?.results[key];
    if (!expected || !want) throw new Error(`expected.json has no results for ${key}`);
    const context = await testGpu();
    const folder = await modelFolder(nodeFolder(join(ROOT, name)), file);
    const model = await loadModel(context, folder, file && !folder.checkpoint ? { file } : {});
    const session = await Session.create(model, {
      maxSequences: 16,
      contextTokens: 256,
      kvTokens: 256,
      prefillRows: 64,
      kv: "f32",
    });
    const { positions, lastLogits } = await session.score(expected.reference_ids);
    want.per_token_logprob_first32.forEach((logprob, i) => expect(positions[i]?.logprob).toBeCloseTo(logprob, 3));
    want.last_logits_first16.forEach((logit, i) =>
      expect(Math.abs((lastLogits[i] ?? Number.NaN) - logit)).toBeLessThan(2e-3),
    );
    if (key === "f32") {
      const logits = new Float32Array(readFileSync(join(ROOT, "logits-greedy201-f32.bin")).buffer.slice(0));
      const last = logits.subarray(-lastLogits.length);
      lastLogits.forEach((logit, i) => expect(Math.abs(logit - (last[i] ?? Number.NaN))).toBeLessThan(1e-3));
    }
    const ids = [1];
    const options = resolveOptions({ temperature: 0, maxNewTokens: 200 });
    for await (const event of generate(session, {
      prompts: [{ ids: [1], startsInThink: false }],
      stopIds: [],
      options,
    })) {
      if (event.type === "token") ids.push(event.id);
    }
    expect(ids).toEqual(want.greedy200_ids);
    if (folder.checkpoint) {
      const tokenizer = requireTokenizer(await loadTextAssets(folder), folder);
      expect(tokenizer.decode(ids.slice(1)).trimStart()).toBe(want.greedy200_text);
    } else if (key !== "bf16") {
      const text = ids
        .slice(1)
        .map((id) =>
          expected.tokens[id]?.replace(/^<0x(..)>$/, (_, hex: string) =>
            String.fromCodePoint(Number.parseInt(hex, 16)),
          ),
        )
        .join("")
        .trimStart();
      expect(text).toBe(expected.published_text);
    }
    session.dispose();
    model.dispose();
  });
});
