import type { InferenceSession } from "onnxruntime-web/wasm";
import type { ModelFolder } from "../checkpoint/source.ts";
import { isR1Error, R1Error, throwIfAborted } from "../errors.ts";
import { readModelSpec } from "../model/load.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import type { ModelSpec } from "../model/spec.ts";
import { cacheShapeOf, presentName } from "./graph-inputs.ts";
import { readOnnx } from "./onnx-files.ts";
import type { OnnxBytes, ReadOnnxOptions } from "./onnx-files.ts";
import { OrtSession } from "./session.ts";
import type { OrtRuntime } from "./runtime.ts";

/** The graph computes logits for every position of a prompt, wanted or not; so many are in memory at a time. */
export const MOST_LOGITS = 1 << 24;

/** A model that ONNX Runtime has loaded. */
export interface OrtModel {
  readonly spec: ModelSpec;
  /** Of the graph and its weights. */
  readonly bytes: number;
  createSession(sizes: SessionSizes): OrtSession;
  dispose(): Promise<void>;
}

/**
 * Loads a folder in onnx-community's layout: `onnx/model*.onnx` beside `config.json`.
 * @throws R1Error E_FILE_MISSING, E_FEATURE for variants that the provider does not run, E_FORMAT for a graph of another form or one that ONNX Runtime refuses, E_LIMIT,
 *   E_OUT_OF_MEMORY, E_ABORTED, and what reading throws
 */
export async function loadOnnx(
  runtime: OrtRuntime,
  folder: ModelFolder,
  options: ReadOnnxOptions = {},
): Promise<OrtModel> {
  const spec = await readModelSpec(folder, options.signal);
  const files = await readOnnx(folder, runtime.provider, options);
  throwIfAborted(options.signal);
  const session = await createSession(runtime, files, spec);
  try {
    const cache = cacheShapeOf(session, spec, files.file);
    const bytes = [files.graph, ...files.external.map(({ data }) => data)].reduce((sum, { length }) => sum + length, 0);
    return {
      spec,
      bytes,
      createSession: (sizes) => {
        const prefillRows = Math.max(1, Math.min(sizes.prefillRows, Math.floor(MOST_LOGITS / spec.vocabSize)));
        return new OrtSession({ runtime, session, spec, cache }, { ...sizes, prefillRows });
      },
      dispose: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

async function createSession(
  { ort, provider }: OrtRuntime,
  { file, graph, external }: OnnxBytes,
  { layers }: ModelSpec,
): Promise<InferenceSession> {
  const parts = Array.from({ length: layers }, (_, i) => [`past_key_values.${i}.key`, `past_key_values.${i}.value`]);
  const onGpu = Object.fromEntries(parts.flat().map((name) => [presentName(name), "gpu-buffer" as const]));
  try {
    return await ort.InferenceSession.create(graph, {
      executionProviders: [provider],
      externalData: [...external],
      // Errors alone: that shapes are computed on the processor is as it should be.
      logSeverityLevel: 3,
      // The cache never leaves the device; a step's output is the next one's input, and the two take turns.
      ...(provider.name === "webgpu" ? { preferredOutputLocation: onGpu } : {}),
    });
  } catch (cause) {
    if (isR1Error(cause)) throw cause;
    const said = cause instanceof Error ? cause.message : String(cause);
    const code = /memory|allocat/i.test(said) ? "E_OUT_OF_MEMORY" : "E_FORMAT";
    throw new R1Error(code, `${file}: ONNX Runtime cannot load it: ${said.slice(0, 500)}`, { file }, { cause });
  }
}
