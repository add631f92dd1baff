import type { InferenceSession } from "onnxruntime-web/wasm";
import type { ModelFolder } from "../checkpoint/source.ts";
import { throwIfAborted } from "../errors.ts";
import { readModelSpec } from "../model/load.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import type { ModelSpec } from "../model/spec.ts";
import { ortFailure } from "./failure.ts";
import { requireFiniteWeights } from "./finite-weights.ts";
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
 * @throws R1Error E_FILE_MISSING, E_FEATURE for variants that the provider does not run, E_FORMAT for a graph of another form or
 *   one that ONNX Runtime refuses, E_NOT_FINITE, E_LIMIT, E_OUT_OF_MEMORY, E_WORKER, E_ABORTED, and what reading throws
 */
export async function loadOnnx(
  runtime: OrtRuntime,
  folder: ModelFolder,
  options: ReadOnnxOptions = {},
): Promise<OrtModel> {
  const spec = await readModelSpec(folder, options.signal);
  const files = await readOnnx(folder, runtime.provider, options);
  // What the graph says is checked before ONNX Runtime, which is not made for hostile ones, sees it.
  const cache = cacheShapeOf(files.summary, spec, files.file);
  requireFiniteWeights(files);
  throwIfAborted(options.signal);
  const session = await createSession(runtime, files, spec);
  try {
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
    throw ortFailure(cause, "E_FORMAT", `${file}: ONNX Runtime cannot load it`);
  }
}
