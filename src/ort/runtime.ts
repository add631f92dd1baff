import type * as Ort from "onnxruntime-web/wasm";

export type OrtModule = typeof Ort;

/** Where ONNX Runtime computes: on the CPU, or on a device of ours. */
export type OrtProvider =
  | { readonly name: "wasm" }
  | {
      readonly name: "webgpu";
      /** The first device that ONNX Runtime is given is its device for good. */
      readonly device: GPUDevice;
    };

/** ONNX Runtime, loaded. */
export interface OrtRuntime {
  readonly ort: OrtModule;
  readonly provider: OrtProvider;
}

/**
 * Loads ONNX Runtime Web, about 14 MB for the CPU alone and 27 MB with WebGPU, and only when it is called. Its threads
 * stay off: they need a shared buffer, and with it headers that a page in a frame does not have.
 */
export async function openOrt(provider: OrtProvider): Promise<OrtRuntime> {
  const ort = provider.name === "wasm" ? await import("onnxruntime-web/wasm") : await import("onnxruntime-web/webgpu");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  if (provider.name === "webgpu") ort.env.webgpu.device = provider.device;
  return { ort, provider };
}
