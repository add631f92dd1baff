import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { ExportFile } from "../checkpoint/export/file.ts";
import { onnxFiles } from "../checkpoint/export/onnx/export.ts";
import { exportedBytes } from "../checkpoint/export/testing.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import type { GenerateOptions } from "../generate/options.ts";
import { showBrowserGpu } from "../gpu/node/browser-gpu.ts";
import { exportGguf } from "../model/export-gguf.ts";
import { openExportModel } from "../model/export-model.ts";
import { ggufModelBytes, q4KM } from "../model/testing-gguf.ts";
import type { GenerateEvent, LoadRequest, PickedFile, RuntimeName } from "./protocol.ts";
import { collect, failureCode, pick, startTestEngine, TINY } from "./testing.ts";
import type { TestEngine } from "./testing.ts";

const NANO = join(import.meta.dirname, "../../public/models/nano-distill");

const model = () => openExportModel(nodeFolder(TINY));
const gguf = async (type: Parameters<typeof exportGguf>[1]) => pickFiles(await exportGguf(await model(), type));
const onnx = async (weights: "f32" | "f16" | "q4") => pickFiles(onnxFiles(await model(), { weights }));

async function pickFiles(files: readonly ExportFile[]): Promise<PickedFile[]> {
  const bytes = await Promise.all(files.map(exportedBytes));
  return files.map(({ path }, i) => ({ path, blob: new Blob([bytes[i] ?? ""]) }));
}

/** K-quants want rows of 256; in sizes whose kernels other tests compile too. */
function kQuants(): PickedFile[] {
  const sizes = { hidden: 256, inner: 512, heads: 16, kvHeads: 8, layers: 2, vocabulary: 67 };
  return [{ path: "k.gguf", blob: new Blob([ggufModelBytes(sizes, q4KM)]) }];
}

/** Every form in which weights come. */
const FORMATS: Readonly<Record<string, () => PickedFile[] | Promise<PickedFile[]>>> = {
  safetensors: () => pick(TINY),
  "GGUF F32": () => gguf("F32"),
  "GGUF F16": () => gguf("F16"),
  "GGUF Q8_0": () => gguf("Q8_0"),
  "GGUF Q4_0": () => gguf("Q4_0"),
  "GGUF Q4_K_M": kQuants,
  "ONNX f32": () => onnx("f32"),
  "ONNX f16": () => onnx("f16"),
  "ONNX q4": () => onnx("q4"),
};
/** The same numbers, so that every runtime says the same. */
const EXACT: ReadonlySet<string> = new Set(["safetensors", "GGUF F32", "ONNX f32"]);

interface Said {
  readonly ids: readonly (readonly number[])[];
  readonly cached: number;
  readonly prompt: number;
}

const NEW_TOKENS = 5;

async function say(
  { client }: TestEngine,
  ids: readonly number[],
  options: Partial<GenerateOptions> = {},
): Promise<Said> {
  const settings = { temperature: 0, maxNewTokens: NEW_TOKENS, seed: 3, ...options };
  const events: GenerateEvent[] = await collect(client.generate({ prompt: { ids }, options: settings }));
  const ends = events.filter((event) => event.type === "finished").toSorted((a, b) => a.sample - b.sample);
  const stats = events.find((event) => event.type === "done")?.stats ?? expect.fail("no end");
  return {
    ids: ends.map(({ completion }) => completion.ids),
    cached: stats.cachedTokens,
    prompt: stats.promptTokens,
  };
}

/** What a reader does with a conversation, each with the number of tokens that must still be in the cache. */
async function converse(engine: TestEngine, ask: typeof say): Promise<readonly Said[]> {
  const first = [1, 40, 41, 42];
  const one = await ask(engine, first);
  const second = [...first, ...(one.ids[0] ?? []), 50, 51];
  const two = await ask(engine, second);
  const third = [...second, ...(two.ids[0] ?? []), 60, 61, 62];
  const three = await ask(engine, third);
  const retry = await ask(engine, third, { temperature: 1, seed: 9 });
  const edit = await ask(engine, [...second, ...(two.ids[0] ?? []), 30, 31]);
  const samples = await ask(engine, third, { n: 3, temperature: 1 });
  // The first of the samples is picked, and gone on with.
  const fourth = await ask(engine, [...third, ...(samples.ids[0] ?? []), 20]);
  const anew = await ask(engine, [2, 45, 46]);
  return [one, two, three, retry, edit, samples, fourth, anew];
}

/** With nothing in the cache: another text was asked before. */
async function sayCold(...[engine, ids, options]: Parameters<typeof say>): Promise<Said> {
  await say(engine, [7, 8], { maxNewTokens: 1 });
  const cold = await say(engine, ids, options);
  expect(cold.cached).toBe(0);
  return cold;
}

const texts = (said: readonly Said[]) => said.map(({ ids }) => ids);

/** A software device takes minutes to compile ONNX Runtime's kernels; e2e/onnx.spec.ts has it in a browser, which is faster. */
const hasGpu = process.env["R1_TEST_DEVICE"] === "auto";
const RUNTIMES: readonly RuntimeName[] = ["webgpu", "onnx-wasm", ...(hasGpu ? (["onnx-webgpu"] as const) : [])];

describe.each(RUNTIMES)("a conversation on %s", (runtime) => {
  beforeAll(() => {
    if (runtime === "onnx-webgpu") showBrowserGpu();
  });
  const names = Object.keys(FORMATS).filter((name) => runtime !== "webgpu" || !name.startsWith("ONNX"));
  const engine = startTestEngine();
  let exact: readonly Said[] | undefined;

  it.each(names)("%s: turns, a retry, an edit, samples and a new one, as without a cache", async (format) => {
    const files = (await FORMATS[format]?.()) ?? [];
    const request: LoadRequest = { source: { kind: "files", files }, runtime };
    expect((await engine.client.load(request)).runtime).toBe(runtime);
    const warm = await converse(engine, say);
    const [one, two, three, retry, edit, samples, fourth, anew] = warm;
    expect(one?.cached).toBe(0);
    expect(two?.cached).toBe(4 + NEW_TOKENS - 1);
    expect(three?.cached).toBe((two?.prompt ?? 0) + NEW_TOKENS - 1);
    expect(retry?.cached).toBe((three?.prompt ?? 0) - 1);
    expect(edit?.cached).toBe((two?.prompt ?? 0) + NEW_TOKENS);
    expect(samples?.ids).toHaveLength(3);
    expect(samples?.cached).toBe(edit?.cached);
    expect(fourth?.cached).toBeGreaterThanOrEqual((three?.prompt ?? 0) - 1);
    expect(anew?.cached).toBe(0);
    const cold = await converse(engine, sayCold);
    expect(texts(warm)).toEqual(texts(cold));
    if (EXACT.has(format)) {
      exact ??= warm;
      expect(texts(warm)).toEqual(texts(exact));
    }
  });
});

describe.runIf(hasGpu)("ONNX Runtime on a graphics device (needs R1_TEST_DEVICE=auto)", () => {
  beforeAll(showBrowserGpu);

  const request = (folder: string): LoadRequest => ({
    source: { kind: "files", files: pick(folder) },
    runtime: "onnx-webgpu",
  });

  it("computes on the engine's own device: another model and the first again, and after our kernels", async () => {
    const engine = startTestEngine();
    const { client } = engine;
    const loads: Said[][] = [];
    for (const [folder, runtime] of [
      [NANO, "onnx-webgpu"],
      [TINY, "onnx-webgpu"],
      [NANO, "webgpu"],
      [NANO, "onnx-webgpu"],
    ] as const) {
      await client.load({ ...request(folder), runtime });
      loads.push([...(await converse(engine, say))]);
    }
    const [first, other, ours, again] = loads.map(texts);
    expect(other).not.toEqual(first);
    expect(ours).toEqual(first);
    expect(again).toEqual(first);
    expect(engine.devices).toHaveLength(1);
  });

  it("a device that is lost is heard of, and the next one takes the model", async () => {
    const engine = startTestEngine();
    const { client, devices } = engine;
    await client.load(request(NANO));
    const before = await converse(engine, say);
    const lost: string[] = [];
    client.onLost(({ code }) => lost.push(code));
    devices[0]?.destroy();
    await devices[0]?.lost;
    expect(await failureCode(say(engine, [1, 2]))).toBe("E_NO_MODEL");
    expect(lost).toEqual(["E_DEVICE_LOST"]);
    await client.load(request(NANO));
    expect(devices).toHaveLength(2);
    expect(texts(await converse(engine, say))).toEqual(texts(before));
    // And in the middle of a reply.
    const reading = async (): Promise<void> => {
      const long = { prompt: { ids: [1, 40, 41] }, options: { maxNewTokens: 2000, temperature: 1 } };
      for await (const event of client.generate(long)) if (event.type === "token") devices[1]?.destroy();
    };
    expect(await failureCode(reading())).toBe("E_DEVICE_LOST");
    await client.load(request(NANO));
    expect(texts(await converse(engine, say))).toEqual(texts(before));
  });
});
