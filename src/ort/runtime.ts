import { R1Error } from "../errors.ts";
import type * as Ort from "onnxruntime-web/wasm";

export type OrtModule = typeof Ort;

/** Where ONNX Runtime computes: on the CPU, or on a device of ours. */
export type OrtProvider =
  | { readonly name: "wasm" }
  | {
      readonly name: "webgpu";
      /**
       * What a session's buffers are on. ONNX Runtime takes it from the options of each session: without it, it opens a
       * device of its own, whose buffers ours cannot copy and whose loss nobody hears of. (`env.webgpu.device` only tells
       * which one that is.)
       */
      readonly device: GPUDevice;
    };

/** ONNX Runtime, loaded. */
export interface OrtRuntime {
  readonly ort: OrtModule;
  readonly provider: OrtProvider;
}

const NO_BACKEND = /no available backend/i;

/**
 * Loads ONNX Runtime Web, about 14 MB for the CPU alone and 27 MB with WebGPU, and only when it is called. Its threads
 * stay off: they need a shared buffer, and with it headers that a page in a frame does not have.
 * @throws R1Error E_HTTP where its files cannot be had, or WebAssembly is not allowed
 */
export async function openOrt(provider: OrtProvider): Promise<OrtRuntime> {
  const ort = provider.name === "wasm" ? await import("onnxruntime-web/wasm") : await import("onnxruntime-web/webgpu");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  // It starts with its first session; one byte is no model, which is all that it may say of it.
  const said = await ort.InferenceSession.create(new Uint8Array(1), { executionProviders: [provider] }).then(
    () => "",
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (NO_BACKEND.test(said)) {
    // It remembers that it could not be started, and does not try again in this worker.
    throw new R1Error("E_HTTP", `ONNX Runtime cannot be started: ${said.slice(0, 300)}`, { restart: true });
  }
  return { ort, provider };
}
