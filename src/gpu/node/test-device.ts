import type { GpuContext, GpuOptions } from "../device.ts";
import { openNodeGpu } from "./open.ts";

/** One way of using the device that kernels must all survive. */
export interface DeviceVariant {
  readonly name: string;
  readonly options: GpuOptions;
}

/** With everything, and with each optional feature left out, on WebGPU's guaranteed limits. */
export const DEVICE_VARIANTS: readonly DeviceVariant[] = [
  { name: "all features", options: {} },
  { name: "no subgroups", options: { without: ["subgroups"] } },
  { name: "no f16, default limits", options: { without: ["f16"], limits: "default" } },
  { name: "neither, default limits", options: { without: ["subgroups", "f16"], limits: "default" } },
];

const opened = new Map<string, Promise<GpuContext>>();

/** A device shared by all tests of one file. */
export function testGpu(options: GpuOptions = {}): Promise<GpuContext> {
  const key = JSON.stringify(options);
  let context = opened.get(key);
  if (!context) {
    const choice = process.env["R1_TEST_DEVICE"] === "auto" ? "auto" : "software";
    context = openNodeGpu(choice, options);
    opened.set(key, context);
  }
  return context;
}

/** Reads a whole buffer back as f32; for tests. */
export async function readF32(
  context: GpuContext,
  buffer: GPUBuffer,
  count: number,
  offset = 0,
): Promise<Float32Array> {
  const bytes = await readBytes(context, buffer, count * 4, offset * 4);
  return new Float32Array(bytes.buffer);
}

export async function readU32(context: GpuContext, buffer: GPUBuffer, count: number): Promise<Uint32Array> {
  const bytes = await readBytes(context, buffer, count * 4, 0);
  return new Uint32Array(bytes.buffer);
}

async function readBytes(
  context: GpuContext,
  source: GPUBuffer,
  bytes: number,
  offset: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const staging = context.device.createBuffer({ size: bytes, usage: 1 | 8 });
  const encoder = context.device.createCommandEncoder();
  encoder.copyBufferToBuffer(source, offset, staging, 0, bytes);
  context.device.queue.submit([encoder.finish()]);
  await staging.mapAsync(1);
  const copy = new Uint8Array(staging.getMappedRange().slice(0));
  staging.destroy();
  context.assertHealthy();
  return copy;
}
