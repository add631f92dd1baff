import type { GpuContext } from "./device.ts";
import type { Kernel } from "./pipelines.ts";
import type { GpuTimer } from "./timing.ts";

/** Workgroup counts of a dispatch. */
export type Grid = readonly [x: number, y?: number, z?: number];

/**
 * Collects dispatches and copies into one command buffer and submits it once.
 * Consecutive dispatches share a compute pass; WebGPU orders them by their storage bindings.
 */
export class CommandBatch {
  readonly #context: GpuContext;
  readonly #encoder: GPUCommandEncoder;
  readonly #timer: GpuTimer | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #pipeline: GPUComputePipeline | undefined;

  constructor(context: GpuContext, timer?: GpuTimer) {
    this.#context = context;
    this.#timer = timer;
    this.#encoder = context.device.createCommandEncoder();
  }

  dispatch(kernel: Kernel, bindings: GPUBindGroup, [x, y = 1, z = 1]: Grid): void {
    if (x === 0 || y === 0 || z === 0) return;
    const pass = (this.#pass ??= this.#begin());
    if (this.#pipeline !== kernel.pipeline) {
      pass.setPipeline(kernel.pipeline);
      this.#pipeline = kernel.pipeline;
    }
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(x, y, z);
    this.#context.counters.dispatches++;
  }

  copy(source: GPUBuffer, sourceOffset: number, target: GPUBuffer, targetOffset: number, bytes: number): void {
    this.#endPass();
    this.#encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, bytes);
  }

  clear(buffer: GPUBuffer, offset = 0, bytes?: number): void {
    this.#endPass();
    this.#encoder.clearBuffer(buffer, offset, bytes);
  }

  submit(): void {
    this.#endPass();
    this.#timer?.resolve(this.#encoder);
    this.#context.device.queue.submit([this.#encoder.finish()]);
    this.#context.counters.submits++;
  }

  #begin(): GPUComputePassEncoder {
    this.#pipeline = undefined;
    const timestampWrites = this.#timer?.passWrites();
    return this.#encoder.beginComputePass(timestampWrites ? { timestampWrites } : {});
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = undefined;
  }
}
