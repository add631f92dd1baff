import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { dataPath, hasData, readData, titleWithData } from "../checkpoint/node/test-data.ts";

const STORIES = "checkpoints/stories260K";
const ROOT = join(import.meta.dirname, "../..");

interface Expected {
  readonly reference_ids: readonly number[];
  readonly results: Readonly<
    Record<
      string,
      {
        readonly greedy200_ids: readonly number[];
        readonly greedy200_text: string;
        readonly last_logits_first16: readonly number[];
        readonly tensor_types: Readonly<Record<string, number>>;
      }
    >
  >;
}

interface Inspected {
  readonly format: string;
  readonly architecture: string;
  readonly spec: object;
  readonly device_bytes: Readonly<Record<string, number>>;
  readonly tensors: readonly { readonly dtype: string }[];
}

function json<T>(...args: string[]): T {
  const command = [join(ROOT, "scripts/r1.mjs"), ...args, "--json", "--device", "software"];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: "utf8", cwd: ROOT });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as T;
}

/** A real trained checkpoint in the types that llama.cpp writes, each checked through the command line alone. */
describe.skipIf(!hasData(STORIES))(titleWithData("r1 on GGUF files", STORIES), () => {
  const text = hasData(STORIES) ? new TextDecoder().decode(readData(`${STORIES}/expected.json`)) : "{}";
  const expected = JSON.parse(text) as Expected;

  it.each([
    ["F16", ["f16"]],
    // What has rows of no whole blocks stays F16 in these files.
    ["Q8_0", ["f16", "q8"]],
    ["Q4_0", ["f16", "q4"]],
  ] as const)("%s: inspect, logits and generate", (type, formats) => {
    const want = expected.results[`gguf-${type}`];
    if (!want) throw new Error(`expected.json has no results for ${type}`);
    const path = dataPath(`${STORIES}/gguf/stories260K-${type}.gguf`);

    const { tensors, device_bytes, ...found } = json<Inspected>("inspect", path);
    expect(Object.keys(device_bytes).toSorted()).toEqual(formats);
    expect(found).toMatchObject({
      format: "gguf",
      architecture: "LlamaForCausalLM",
      spec: { vocab_size: 512, hidden_size: 64, num_attention_heads: 8, num_key_value_heads: 4 },
    });
    const types: Record<string, number> = {};
    for (const { dtype } of tensors) types[dtype] = (types[dtype] ?? 0) + 1;
    expect(types).toEqual(want.tensor_types);

    const ids = expected.reference_ids.join(",");
    const { last_logits: logits } = json<{ last_logits: number[] }>("logits", "--model", path, "--ids", ids);
    want.last_logits_first16.forEach((logit, i) => expect(logits[i]).toBeCloseTo(logit, 2));

    const greedy = ["--ids", "1", "--greedy", "--max-new-tokens", "60"];
    const { completions } = json<{ completions: { ids: number[]; text: string }[] }>(
      "generate",
      "--model",
      path,
      ...greedy,
    );
    expect(completions[0]?.ids).toEqual(want.greedy200_ids.slice(1, 61));
    expect(want.greedy200_text).toContain(completions[0]?.text.trim());
  });
});
