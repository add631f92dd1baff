import { create, globals } from "webgpu";
import { prepareLoader } from "./driver.ts";

/**
 * Shows Dawn as a browser shows WebGPU, for code that was written for browsers: ONNX Runtime asks `navigator.gpu` for an
 * adapter before it takes the device that it is given, and hands its own memory, which is shared, to `writeBuffer`, which
 * Dawn's Node binding refuses.
 */
export function showBrowserGpu(): void {
  const surroundings: { navigator?: object } = globalThis;
  if (surroundings.navigator && "gpu" in surroundings.navigator) return;
  prepareLoader();
  Object.assign(globalThis, globals);
  surroundings.navigator ??= {};
  Object.defineProperty(surroundings.navigator, "gpu", { value: create([]), configurable: true });
  const { prototype } = GPUQueue;
  const write: unknown = Object.getOwnPropertyDescriptor(prototype, "writeBuffer")?.value;
  if (typeof write !== "function") return;
  Object.defineProperty(prototype, "writeBuffer", {
    configurable: true,
    value(this: GPUQueue, buffer: GPUBuffer, offset: number, data: BufferSource, ...range: number[]): void {
      Reflect.apply(write, this, [buffer, offset, unshared(data), ...range]);
    },
  });
}

function unshared(data: BufferSource): BufferSource {
  if (!ArrayBuffer.isView(data) || !(data.buffer instanceof SharedArrayBuffer)) return data;
  return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
