import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openCheckpoint } from "./checkpoint.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { nodeFolder } from "./node/folder.ts";
import { dataPath, hasData, readData, titleWithData } from "./node/test-data.ts";
import { buildSafetensors, memoryFolder } from "./testing.ts";
import type { MemoryFolder } from "./testing.ts";

const one = (value: number) => ({ dtype: "U8", shape: [2], data: Uint8Array.of(value, value + 1) }) as const;

function sharded(weightMap: unknown, extra: Readonly<Record<string, Uint8Array | string>> = {}): MemoryFolder {
  return memoryFolder({
    "model.safetensors.index.json": JSON.stringify({ metadata: { total_size: 99 }, weight_map: weightMap }),
    "1.safetensors": buildSafetensors({ a: one(1), b: one(3) }, { format: "pt", from: "1" }),
    "2.safetensors": buildSafetensors({ c: one(5), b: one(9) }, { format: "np", to: "2" }),
    ...extra,
  });
}

const GOOD = { a: "1.safetensors", b: "1.safetensors", c: "2.safetensors" };

async function bytesOf(checkpoint: Checkpoint, name: string): Promise<number[]> {
  return [...(await checkpoint.read(name))];
}

describe("a single file", () => {
  const bytes = buildSafetensors(
    {
      w: { dtype: "U8", shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) },
      e: { dtype: "F32", shape: [0], data: new Uint8Array() },
    },
    { format: "pt" },
  );

  it("tells its tensors and reads them whole or in slabs", async () => {
    const folder = memoryFolder({ "model.safetensors": bytes });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.format).toBe("safetensors");
    expect(checkpoint.metadata).toEqual({ format: "pt" });
    expect([...checkpoint.tensors.values()]).toEqual([
      { name: "w", dtype: "U8", shape: [2, 3], bytes: 6 },
      { name: "e", dtype: "F32", shape: [0], bytes: 0 },
    ]);
    await expect(bytesOf(checkpoint, "w")).resolves.toEqual([1, 2, 3, 4, 5, 6]);
    await expect(bytesOf(checkpoint, "e")).resolves.toEqual([]);
    expect([...(await checkpoint.read("w", 2))]).toEqual([3, 4, 5, 6]);
    expect([...(await checkpoint.read("w", 2, 4))]).toEqual([3, 4]);
    expect(folder.reads.at(-1)).toMatchObject({ length: 2 });
  });

  it("reads nothing outside a tensor", async () => {
    const checkpoint = await openCheckpoint(memoryFolder({ "model.safetensors": bytes }));
    for (const [begin, end] of [
      [-1, 2],
      [0, 7],
      [4, 2],
      [0.5, 2],
      [0, Number.NaN],
    ]) {
      await expect(checkpoint.read("w", begin, end)).rejects.toMatchObject({ code: "E_TENSOR_OFFSETS" });
    }
    await expect(checkpoint.read("v")).rejects.toMatchObject({
      code: "E_TENSOR_MISSING",
      message: 'tensor "v" is not in the checkpoint',
    });
    await expect(checkpoint.read("w", 0, 1, AbortSignal.abort())).rejects.toMatchObject({ code: "E_ABORTED" });
  });

  it("is chosen by name, else before an index", async () => {
    const files = { "model.safetensors": bytes, "other.safetensors": buildSafetensors({ o: one(1) }) };
    const folder = sharded(GOOD, files);
    expect([...(await openCheckpoint(folder)).tensors.keys()]).toEqual(["w", "e"]);
    expect([...(await openCheckpoint(folder, { file: "other.safetensors" })).tensors.keys()]).toEqual(["o"]);
    const byIndex = await openCheckpoint(folder, { file: "model.safetensors.index.json" });
    expect([...byIndex.tensors.keys()]).toEqual(["a", "b", "c"]);
  });

  it("is missing", async () => {
    await expect(openCheckpoint(memoryFolder({}, "my-model"))).rejects.toMatchObject({
      code: "E_FILE_MISSING",
      message: "my-model: neither model.safetensors nor model.safetensors.index.json",
    });
    await expect(openCheckpoint(memoryFolder({}), { file: "x.safetensors" })).rejects.toMatchObject({
      code: "E_FILE_MISSING",
      message: 'memory: no "x.safetensors"',
    });
    await expect(openCheckpoint(memoryFolder({}), { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: "E_ABORTED",
    });
  });
});

describe("shards", () => {
  it("are one checkpoint, whatever total_size says", async () => {
    const checkpoint = await openCheckpoint(sharded(GOOD));
    expect([...checkpoint.tensors.keys()]).toEqual(["a", "b", "c"]);
    expect(checkpoint.metadata).toEqual({ format: "pt", from: "1", to: "2" });
    await expect(bytesOf(checkpoint, "a")).resolves.toEqual([1, 2]);
    await expect(bytesOf(checkpoint, "c")).resolves.toEqual([5, 6]);
  });

  it("hold a tensor twice: the index decides", async () => {
    await expect(bytesOf(await openCheckpoint(sharded(GOOD)), "b")).resolves.toEqual([3, 4]);
    const other = await openCheckpoint(sharded({ ...GOOD, b: "2.safetensors" }));
    await expect(bytesOf(other, "b")).resolves.toEqual([9, 10]);
  });

  it("hold a tensor that the index does not list: it is left out", async () => {
    const checkpoint = await openCheckpoint(sharded({ a: "1.safetensors" }));
    expect([...checkpoint.tensors.keys()]).toEqual(["a"]);
  });

  it("are opened in any number", async () => {
    const names = Array.from({ length: 11 }, (_, i) => `${i}.safetensors`);
    const folder = memoryFolder({
      "model.safetensors.index.json": JSON.stringify({
        weight_map: Object.fromEntries(names.map((name) => [name, name])),
      }),
      ...Object.fromEntries(names.map((name, i) => [name, buildSafetensors({ [name]: one(i) })])),
    });
    const checkpoint = await openCheckpoint(folder);
    expect(checkpoint.tensors.size).toBe(11);
    await expect(bytesOf(checkpoint, "10.safetensors")).resolves.toEqual([10, 11]);
  });

  it.each([
    [
      "a missing shard",
      { a: "3.safetensors" },
      "E_FILE_MISSING",
      'memory: no "3.safetensors", which model.safetensors.index.json names',
    ],
    [
      "a tensor that is not in its shard",
      { a: "2.safetensors" },
      "E_TENSOR_MISSING",
      '2.safetensors: tensor "a" is not there',
    ],
    ["a shard in another folder", { a: "../1.safetensors" }, "E_FORMAT", 'weight_map "a": found "../1.safetensors"'],
    ["a shard in a subfolder", { a: "x/1.safetensors" }, "E_FORMAT", "expected the name of a file in the same folder"],
    ["a shard behind a backslash", { a: "x\\1.safetensors" }, "E_FORMAT", "expected the name of a file"],
    ["the parent folder", { a: ".." }, "E_FORMAT", "expected the name of a file"],
    ["an empty name", { a: "" }, "E_FORMAT", "expected the name of a file"],
    ["a number for a name", { a: 1 }, "E_FORMAT", 'weight_map "a": found JSON number; expected string'],
    ["an empty weight_map", {}, "E_FORMAT", "found no weight_map"],
    ["a list for a weight_map", ["a"], "E_FORMAT", "weight_map: found JSON array; expected object"],
    ["no weight_map", undefined, "E_FORMAT", "found no weight_map"],
    [
      "more files than any model has",
      Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [i, `${i}`])),
      "E_FORMAT",
      "names 2001 files",
    ],
  ])("are refused: %s", async (_, weightMap, code, problem) => {
    await expect(openCheckpoint(sharded(weightMap))).rejects.toMatchObject({ code });
    await expect(openCheckpoint(sharded(weightMap))).rejects.toThrow(problem);
  });

  it.each([
    ["not JSON", "{", "E_JSON"],
    ["a list", "[]", "E_FORMAT"],
    ["a tensor twice", '{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}', "E_JSON"],
    ["nested too deep", `{"metadata":${"[".repeat(1000)}`, "E_JSON"],
  ])("are refused with an index that is %s", async (_, index, code) => {
    const folder = sharded(GOOD, { "model.safetensors.index.json": index });
    await expect(openCheckpoint(folder)).rejects.toMatchObject({ code });
  });

  it("are refused when one is malformed, by its name", async () => {
    const folder = sharded(GOOD, { "2.safetensors": new Uint8Array(3) });
    await expect(openCheckpoint(folder)).rejects.toMatchObject({
      code: "E_HEADER_TOO_SMALL",
      message: expect.stringMatching(/^2\.safetensors: /) as string,
    });
  });
});

const FIXTURES = fileURLToPath(new URL("../../e2e/fixtures", import.meta.url));

describe("the repository's fixtures", () => {
  // The first four values of the final norm, read from the files with Python's struct module.
  it.each([
    ["qwen2-tiny", 26, "F32", [101, 64], "d818ab3f33e1613f3f53883fc7874c3f"],
    ["qwen2-tiny-f16", 27, "F16", [515, 128], "f6388b3ab43a0c3d"],
    ["llama-tiny", 30, "BF16", [259, 96], "a23f833fa53f933f"],
  ] as const)("%s", async (name, count, dtype, shape, norm) => {
    const checkpoint = await openCheckpoint(nodeFolder(`${FIXTURES}/${name}`));
    expect(checkpoint.tensors.size).toBe(count);
    expect(checkpoint.metadata).toEqual({ format: "pt" });
    expect(checkpoint.tensors.get("model.embed_tokens.weight")).toMatchObject({ dtype, shape });
    const bytes = await checkpoint.read("model.norm.weight", 0, norm.length / 2);
    expect(Buffer.from(bytes).toString("hex")).toBe(norm);
  });

  it("opens a LoRA adapter by its name", async () => {
    const checkpoint = await openCheckpoint(nodeFolder(`${FIXTURES}/qwen2-tiny`), {
      file: "adapter_model.safetensors",
    });
    expect([...checkpoint.tensors.keys()].every((name) => name.startsWith("base_model.model."))).toBe(true);
  });
});

const STORIES = "checkpoints/stories260K";

describe.skipIf(!hasData(STORIES))(titleWithData("stories260K", STORIES), () => {
  const single = () => openCheckpoint(nodeFolder(dataPath(`${STORIES}/hf`)));
  const shards = () => openCheckpoint(nodeFolder(dataPath(`${STORIES}/hf-sharded-bf16`)));
  const half = () => openCheckpoint(nodeFolder(dataPath(`${STORIES}/hf`)), { file: "model-f16.safetensors" });

  it("has the same names and shapes in one file, in another and in shards", async () => {
    const table = ({ tensors }: Checkpoint) =>
      [...tensors.values()].map(({ name, shape }) => `${name} ${shape.join()}`).toSorted();
    const expected = table(await single());
    expect(expected.length).toBeGreaterThan(40);
    expect(table(await shards())).toEqual(expected);
    expect(table(await half())).toEqual(expected);
    for (const { dtype } of (await shards()).tensors.values()) expect(dtype).toBe("BF16");
  });

  it("has the embedding of llama2.c's own file", async () => {
    // stories260K.bin: seven int32 of configuration, then the embedding [512, 64] in f32.
    const original = readData(`${STORIES}/stories260K.bin`).slice(28, 28 + 512 * 64 * 4);
    const embedding = await (await single()).read("model.embed_tokens.weight");
    expect(Buffer.compare(embedding, original)).toBe(0);
  });

  it("has the same values in every shard, up to the rounding to bf16", async () => {
    const [full, rounded] = [await single(), await shards()];
    for (const name of full.tensors.keys()) {
      const exact = new Float32Array((await full.read(name)).buffer);
      const bits = new Uint16Array((await rounded.read(name)).buffer);
      const values = new Float32Array(Uint32Array.from(bits, (top) => top << 16).buffer);
      const worst = exact.reduce(
        (most, value, i) => Math.max(most, Math.abs((values[i] ?? 0) - value) / (Math.abs(value) + 1e-30)),
        0,
      );
      expect(worst, name).toBeLessThanOrEqual(2 ** -8);
    }
  });
});
