import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ranges, serve } from "../checkpoint/node/test-server.ts";
import type { Handler } from "../checkpoint/node/test-server.ts";
import { R1Error } from "../errors.ts";
import type { GenerateCall, GenerateEvent, LoadRequest } from "./protocol.ts";
import { answeredWrongly, ask, collect, failure, failureCode, picked, startTestEngine, TINY } from "./testing.ts";
import type { TestEngine } from "./testing.ts";

const weights = new Uint8Array(readFileSync(join(TINY, "model.safetensors")));
const config = JSON.parse(readFileSync(join(TINY, "config.json"), "utf8"));
const tokenizerConfig = JSON.parse(readFileSync(join(TINY, "tokenizer_config.json"), "utf8"));

const configured = (changes: object): Record<string, string> => ({
  "config.json": JSON.stringify({ ...config, ...changes }),
});

/** The model's weights with another dtype written for the first tensor; JSON may have spaces after a string. */
function withDtype(dtype: string): Uint8Array<ArrayBuffer> {
  const copy = Buffer.from(weights);
  copy.set(Buffer.from(`${dtype}"`.padEnd(5)), copy.indexOf('BF16"'));
  return new Uint8Array(copy);
}

async function works({ client }: TestEngine): Promise<void> {
  const events = await collect(client.generate(ask("Hi")));
  expect(events.at(-1)?.type).toBe("done");
}

describe("a folder that cannot be loaded", () => {
  let engine: TestEngine;
  let buffers = 0;
  beforeAll(async () => {
    engine = startTestEngine();
    await engine.client.load(picked(TINY));
    await works(engine);
    buffers = engine.liveBuffers;
  });
  afterAll(() => engine.client.unload());

  const CASES: readonly [string, Parameters<typeof picked>[1], string, RegExp][] = [
    ["no config.json", { "config.json": undefined }, "E_FILE_MISSING", /config\.json/],
    ["no weights", { "model.safetensors": undefined }, "E_FILE_MISSING", /model\.safetensors/],
    ...(
      [
        ["pytorch_model.bin", /found "pytorch_model\.bin", which is PyTorch's/],
        ["tf_model.h5", /found "tf_model\.h5", which is TensorFlow's/],
        ["model.ort", /found "model\.ort", which is ONNX Runtime's own format/],
        ["onnx/decoder_model_merged.onnx", /found "onnx\/decoder_model_merged\.onnx", which is none of model\.onnx/],
        ["weights.safetensors", /found "weights\.safetensors", which is not called model\.safetensors/],
        ["adapter_model.safetensors", /found "adapter_model\.safetensors", which is an adapter/],
      ] as const
    ).map(
      ([name, message]) =>
        [
          `no weights but ${name}`,
          { "model.safetensors": undefined, [name]: "x" },
          "E_FILE_MISSING",
          message,
        ] satisfies [string, object, string, RegExp],
    ),
    [
      "weights cut off",
      { "model.safetensors": weights.subarray(0, 100_000) },
      "E_FILE_TRUNCATED",
      /model\.safetensors/,
    ],
    ["a header cut off", { "model.safetensors": weights.subarray(0, 50) }, "E_FILE_TRUNCATED", /header/],
    ["no header", { "model.safetensors": "1234" }, "E_HEADER_TOO_SMALL", /model\.safetensors/],
    ["tensors of another shape", configured({ hidden_size: 128 }), "E_TENSOR_SHAPE", /64.*128/],
    ["tensors that are missing", configured({ num_hidden_layers: 3 }), "E_TENSOR_MISSING", /layers\.2/],
    ["an unknown dtype", { "model.safetensors": withDtype("F99") }, "E_DTYPE", /F99/],
    ["a dtype that weights cannot have", { "model.safetensors": withDtype("I16") }, "E_DTYPE", /I16.*F32, F16, BF16/],
    ["an unknown architecture", configured({ architectures: ["MambaForCausalLM"] }), "E_ARCHITECTURE", /Mamba/],
    ["quantized weights", configured({ quantization_config: { quant_method: "gptq" } }), "E_QUANTIZATION", /gptq/],
    ["a broken config.json", { "config.json": "{" }, "E_JSON", /config\.json/],
    ["a broken tokenizer.json", { "tokenizer.json": "{}" }, "E_TOKENIZER", /tokenizer\.json/],
    ["an oversized template", { "chat_template.jinja": "x".repeat(300_000) }, "E_TEMPLATE", /300000/],
  ];

  it.each(CASES)(
    "%s: a typed error, nothing left behind, the model before still there",
    async (_, changes, code, says) => {
      const error = await failure(engine.client.load(picked(TINY, changes)));
      expect(error.code, error.message).toBe(code);
      expect(error.message).toMatch(says);
      expect(engine.liveBuffers).toBe(buffers);
      await works(engine);
    },
  );

  it("a context that no buffer holds: refused before weights are read", async () => {
    // Two bytes a number: where f32 does not fit, the cache is in f16.
    const rowBytes = 2 * config.num_key_value_heads * config.head_dim * 2;
    const contextTokens = Math.floor((engine.devices[0]?.limits.maxStorageBufferBindingSize ?? 0) / rowBytes) + 1;
    const stages: string[] = [];
    const long = { ...picked(TINY, configured({ max_position_embeddings: contextTokens })), contextTokens };
    const error = await failure(engine.client.load(long, { onProgress: ({ stage }) => stages.push(stage) }));
    expect(error).toMatchObject({ code: "E_LIMIT", message: expect.stringMatching(/needs a buffer of.*would fit/) });
    expect(stages).not.toContain("weights");
    expect(engine.liveBuffers).toBe(buffers);
    await works(engine);
    // Nor is it offered, or taken, where the model is loaded already.
    const { contexts } = await engine.client.load({ ...long, contextTokens: 64 });
    expect(contexts.slice(0, 2)).toEqual([4096, 8192]);
    expect(contexts).not.toContain(contextTokens);
    const live = engine.liveBuffers;
    expect(await failureCode(engine.client.setContext(contextTokens))).toBe("E_LIMIT");
    expect(engine.liveBuffers).toBe(live);
    await works(engine);
    await engine.client.load(picked(TINY));
  });

  it("a context for which there is no memory: the one before stays", async () => {
    const [gpu] = engine.devices;
    // No software driver runs out of memory before the machine does: the device's word for it is put in its mouth.
    const pop = vi.spyOn(gpu?.device ?? expect.fail(), "popErrorScope");
    pop.mockResolvedValueOnce(new GPUOutOfMemoryError("full"));
    expect(await failureCode(engine.client.setContext(2048))).toBe("E_OUT_OF_MEMORY");
    pop.mockRestore();
    expect(engine.liveBuffers).toBe(buffers);
    await works(engine);
  });

  it("no files at all", async () => {
    const nothing: LoadRequest = { source: { kind: "files", files: [] } };
    expect(await failureCode(engine.client.load(nothing))).toBe("E_FILE_MISSING");
    await works(engine);
  });
});

describe("loading that fails or stops on the way", () => {
  /** The model's folder as a server has it; `weightsHandler` answers for the tensors that the first request leaves out. */
  const server = (weightsHandler: Handler): ReturnType<typeof serve> =>
    serve((request, response) => {
      const name = request.url?.split("/").at(-1) ?? "";
      const begin = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      if (name === "chat_template.jinja" || name === "model.safetensors.index.json") response.writeHead(404).end();
      else if (name === "model.safetensors" && begin > 0) weightsHandler(request, response);
      else ranges(readFileSync(join(TINY, name)))(request, response);
    });

  it("loads from a server by ranges", async () => {
    const engine = startTestEngine();
    const { url, requests } = await server(ranges(weights));
    const model = await engine.client.load({ source: { kind: "url", baseUrl: url } });
    expect(model.name).toBe("tiny");
    expect(requests.some((request) => /model\.safetensors bytes=[1-9]/.test(request))).toBe(true);
    await works(engine);
    await engine.client.unload();
    expect(engine.liveBuffers).toBe(0);
  });

  it("frees what it had when the download breaks off, and loads the next time", async () => {
    const engine = startTestEngine();
    const { url } = await server((_, response) => response.destroy());
    expect(await failureCode(engine.client.load({ source: { kind: "url", baseUrl: url } }))).toBe("E_HTTP");
    expect(engine.liveBuffers).toBe(0);
    expect(await failureCode(collect(engine.client.generate(ask("Hi"))))).toBe("E_NO_MODEL");
    await engine.client.load(picked(TINY));
    await works(engine);
    await engine.client.unload();
  });

  it("frees what it had when a weight is NaN, whose tensor it names, and loads the next time", async () => {
    const engine = startTestEngine();
    const broken = Uint8Array.from(weights);
    broken.set([0xc0, 0x7f], broken.length - 2);
    const error = await failure(engine.client.load(picked(TINY, { "model.safetensors": broken })));
    expect(error).toMatchObject({
      code: "E_NOT_FINITE",
      details: { tensor: expect.stringMatching(/^(?:model|lm_head)\./) },
    });
    expect(engine.liveBuffers).toBe(0);
    await engine.client.load(picked(TINY));
    await works(engine);
    await engine.client.unload();
  });

  it("frees what it had when it is cancelled, also while a server says nothing", async () => {
    const engine = startTestEngine();
    const abort = new AbortController();
    const { url } = await server(() => abort.abort());
    const loading = engine.client.load({ source: { kind: "url", baseUrl: url } }, { signal: abort.signal });
    expect(await failureCode(loading)).toBe("E_ABORTED");
    expect(engine.liveBuffers).toBe(0);
    await engine.client.load(picked(TINY));
    await works(engine);
    await engine.client.unload();
  });

  it("frees what it had when it is cancelled while kernels compile", async () => {
    const engine = startTestEngine();
    const abort = new AbortController();
    const onProgress = ({ stage }: { readonly stage: string }): void => {
      if (stage === "kernels") abort.abort();
    };
    expect(await failureCode(engine.client.load(picked(TINY), { onProgress, signal: abort.signal }))).toBe("E_ABORTED");
    expect(engine.liveBuffers).toBe(0);
  });

  it("reports a full GPU as that, and frees what it had", async () => {
    const engine = startTestEngine();
    await engine.client.open();
    const [gpu] = engine.devices;
    // No software driver runs out of memory before the machine does: the device's word for it is put in its mouth.
    const full = new GPUOutOfMemoryError("full");
    const pop = vi.spyOn(gpu?.device ?? expect.fail(), "popErrorScope").mockResolvedValue(full);
    const error = await failure(engine.client.load({ ...picked(TINY), format: "q8", contextTokens: 512 }));
    expect(error).toMatchObject({
      code: "E_OUT_OF_MEMORY",
      details: { offerContextTokens: 512, offerFormat: "q4" },
    });
    pop.mockRestore();
    expect(engine.liveBuffers).toBe(0);
    await engine.client.load(picked(TINY));
    await works(engine);
    await engine.client.unload();
  });

  it("frees the model too where the GPU is full in the middle of a conversation, and proposes half the context", async () => {
    const engine = startTestEngine();
    await engine.client.load({ ...picked(TINY), contextTokens: 2048 });
    await works(engine);
    const [gpu] = engine.devices;
    const full = new GPUOutOfMemoryError("full");
    const pop = vi.spyOn(gpu?.device ?? expect.fail(), "popErrorScope").mockResolvedValue(full);
    // Three samples need a wider cache than the conversation's.
    const error = await failure(collect(engine.client.generate(ask("Hi", { n: 3 }))));
    pop.mockRestore();
    expect(error).toMatchObject({ code: "E_OUT_OF_MEMORY", details: { offerContextTokens: 1024 } });
    expect(engine.liveBuffers).toBe(0);
    expect(await failureCode(collect(engine.client.generate(ask("Hi"))))).toBe("E_NO_MODEL");
    const contextTokens = Number(error.details["offerContextTokens"]);
    expect(await engine.client.load({ ...picked(TINY), contextTokens })).toMatchObject({ contextTokens: 1024 });
    await works(engine);
    await engine.client.unload();
    expect(engine.liveBuffers).toBe(0);
  });

  it("refuses more samples than the device's buffers hold, and keeps the model", async () => {
    const engine = startTestEngine();
    await engine.client.open();
    const cacheRowBytes = 2 * config.num_key_value_heads * config.head_dim * 4;
    const contextTokens = Math.ceil((engine.devices[0]?.limits.maxBufferSize ?? 0) / cacheRowBytes / 256) + 1;
    const long = picked(TINY, configured({ max_position_embeddings: contextTokens }));
    await engine.client.load({ ...long, contextTokens });
    const wide = ask("Hi", { n: 256, maxNewTokens: 1_000_000 });
    const { code, message, details } = await failure(collect(engine.client.generate(wide)));
    expect(code).toBe("E_LIMIT");
    expect(message).toContain(`${details["samples"]} samples would fit`);
    expect(details["samples"]).toBeGreaterThan(1);
    expect(details["samples"]).toBeLessThan(256);
    await works(engine);
    await engine.client.unload();
    expect(engine.liveBuffers).toBe(0);
  });
});

describe("a question that cannot be answered", () => {
  let engine: TestEngine;
  beforeAll(async () => {
    engine = startTestEngine();
    await engine.client.load({ ...picked(TINY), contextTokens: 64 });
  });
  afterAll(() => engine.client.unload());

  const ids = (...list: number[]): GenerateCall => ({ prompt: { ids: list }, options: { maxNewTokens: 4 } });
  const system = { role: "system" } as unknown as { role: "system"; content: string };
  const CASES: readonly [string, GenerateCall, string, RegExp][] = [
    ["longer than the context", ask("word ".repeat(40)), "E_PROMPT_TOO_LONG", /64/],
    ["empty", ids(), "E_PROMPT_EMPTY", /empty/],
    ["of an id beyond the vocabulary", ids(5, 274), "E_TOKEN_RANGE", /274.*273/],
    ["with a setting out of range", ask("Hi", { temperature: -1 }), "E_OPTION", /temperature is -1/],
    ["with budgets that contradict", ask("Hi", { thinkMin: 9, thinkMax: 5 }), "E_OPTION", /thinkMin 9/],
    ["with more samples than fit", ask("Hi", { n: 257 }), "E_OPTION", /n is 257/],
    ["that the template cannot take", { prompt: { messages: [system] }, options: {} }, "E_TEMPLATE", /./],
  ];

  it.each(CASES)("%s: a typed error, and the next one is answered", async (_, call, code, says) => {
    const error = await failure(collect(engine.client.generate(call)));
    expect(error.code, error.message).toBe(code);
    expect(error.message).toMatch(says);
    await works(engine);
  });

  it("before a model is loaded", async () => {
    expect(await failureCode(collect(startTestEngine().client.generate(ask("Hi"))))).toBe("E_NO_MODEL");
  });

  it("in words, by a folder without a chat template or with one that fails", async () => {
    const { chat_template: _, ...plain } = tokenizerConfig;
    const withTemplate = (template: object): LoadRequest =>
      picked(TINY, { "tokenizer_config.json": JSON.stringify({ ...plain, ...template }) });
    const model = await engine.client.load(withTemplate({}));
    expect(model).toMatchObject({ hasTokenizer: true, hasTemplate: false });
    expect(await failureCode(collect(engine.client.generate(ask("Hi"))))).toBe("E_TEMPLATE_MISSING");
    expect((await collect(engine.client.generate(ids(5, 6)))).at(-1)?.type).toBe("done");
    await engine.client.load(withTemplate({ chat_template: "{{ raise_exception('no such role') }}" }));
    expect(await failure(collect(engine.client.generate(ask("Hi"))))).toMatchObject({
      code: "E_TEMPLATE",
      message: expect.stringContaining("no such role"),
    });
    expect((await collect(engine.client.generate(ids(5, 6)))).at(-1)?.type).toBe("done");
    await engine.client.load(picked(TINY));
  });
});

describe("a tokenizer whose patterns do not end", () => {
  it.each(["(a+)+$", "(?=(a+)+b)", "(?:(?=a*b)|a)*c"])("keeps no other model from answering: %s", async (Regex) => {
    const engine = startTestEngine();
    const json = JSON.parse(readFileSync(join(TINY, "tokenizer.json"), "utf8"));
    const split = { type: "Split", pattern: { Regex }, behavior: "Isolated", invert: false };
    const pre_tokenizer = { type: "Sequence", pretokenizers: [split, json.pre_tokenizer] };
    await engine.client.load(picked(TINY, { "tokenizer.json": JSON.stringify({ ...json, pre_tokenizer }) }));
    const question = collect(engine.client.generate(ask(`${"a".repeat(5_000)}!`)));
    // Too many steps, or too many tokens for the model: an end either way.
    expect(await failure(question)).toMatchObject({ code: expect.stringMatching(/^E_(?:TOKENIZER|PROMPT_TOO_LONG)$/) });
    await engine.client.load(picked(TINY));
    await works(engine);
    await engine.client.unload();
  });
});

describe("a device that is lost", () => {
  it("in the middle of a reply: keeps what was said, tells once, and the next load opens another", async () => {
    const engine = startTestEngine();
    const { client, devices } = engine;
    await client.load(picked(TINY));
    const lost: string[] = [];
    client.onLost(({ code }) => lost.push(code));
    const events: GenerateEvent[] = [];
    const reading = async (): Promise<void> => {
      for await (const event of client.generate(ask("Hi", { maxNewTokens: 3000, thinkMax: 0 }))) {
        events.push(event);
        if (events.length === 6) devices[0]?.destroy();
      }
    };
    expect(await failureCode(reading())).toBe("E_DEVICE_LOST");
    expect(events.filter(({ type }) => type === "token").length).toBeGreaterThanOrEqual(5);
    expect(lost).toEqual(["E_DEVICE_LOST"]);
    expect(await failureCode(collect(client.generate(ask("Hi"))))).toBe("E_NO_MODEL");
    await client.load(picked(TINY));
    expect(devices).toHaveLength(2);
    await works(engine);
    await client.unload();
    expect(engine.liveBuffers).toBe(0);
  });

  it("in the middle of a reply: it goes on with the next device as if nothing had happened", async () => {
    const { client, devices } = startTestEngine();
    const call = ask("Hi", { maxNewTokens: 40, thinkMax: 20, seed: 3 });
    await client.load(picked(TINY));
    const tokensOf = (events: readonly GenerateEvent[]) => events.filter((event) => event.type === "token");
    const whole = tokensOf(await collect(client.generate(call)));
    const said: GenerateEvent[] = [];
    const reading = async (): Promise<void> => {
      for await (const event of client.generate(call)) {
        said.push(event);
        if (said.length === 8) devices[0]?.destroy();
      }
    };
    expect(await failureCode(reading())).toBe("E_DEVICE_LOST");
    const before = tokensOf(said);
    expect(before.length).toBeLessThan(whole.length);
    await client.load(picked(TINY));
    const rest = await collect(client.generate({ ...call, said: [before] }));
    const parts = [...before, ...tokensOf(rest)].map(({ id, text, channel }) => ({ id, text, channel }));
    expect(parts).toEqual(whole.map(({ id, text, channel }) => ({ id, text, channel })));
    const end = rest.find((event) => event.type === "finished");
    expect(end?.completion.ids).toEqual(whole.map(({ id }) => id));
    await client.unload();
  });

  it("while a model is loaded: the load fails as lost, and the next one works", async () => {
    const engine = startTestEngine();
    const onProgress = ({ stage }: { readonly stage: string }): void => {
      if (stage === "weights") engine.devices[0]?.destroy();
    };
    expect(await failureCode(engine.client.load(picked(TINY), { onProgress }))).toBe("E_DEVICE_LOST");
    await engine.client.load(picked(TINY));
    await works(engine);
    expect(answeredWrongly(engine.sent)).toEqual([]);
    await engine.client.unload();
  });

  it("while nothing is asked: tells, and the next question finds no model", async () => {
    const engine = startTestEngine();
    await engine.client.load(picked(TINY));
    const told = new Promise<R1Error>((resolve) => void engine.client.onLost(resolve));
    engine.devices[0]?.destroy();
    expect((await told).code).toBe("E_DEVICE_LOST");
    expect(await failureCode(collect(engine.client.generate(ask("Hi"))))).toBe("E_NO_MODEL");
  });
});

describe("a machine without WebGPU", () => {
  it.each(["E_NO_WEBGPU", "E_NO_ADAPTER"] as const)(
    "%s: said for opening and for loading, and tried again",
    async (code) => {
      const engine = startTestEngine(() => Promise.reject(new R1Error(code, "none")));
      expect(await failureCode(engine.client.open())).toBe(code);
      expect(await failureCode(engine.client.load(picked(TINY)))).toBe(code);
      expect(await failureCode(engine.client.open())).toBe(code);
    },
  );
});
