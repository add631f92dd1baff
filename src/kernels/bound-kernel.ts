import type { CommandBatch, Grid } from "../gpu/commands.ts";
import type { Bindable, GpuContext } from "../gpu/device.ts";
import type { Kernel, KernelSource } from "../gpu/pipelines.ts";

/** A kernel with one bind group, made in advance. */
export class BoundKernel {
  readonly #kernel: Kernel;
  readonly #binding: GPUBindGroup;

  private constructor(kernel: Kernel, binding: GPUBindGroup) {
    this.#kernel = kernel;
    this.#binding = binding;
  }

  /** @param buffers in the order of the source's bindings */
  static async create(context: GpuContext, source: KernelSource, buffers: readonly Bindable[]): Promise<BoundKernel> {
    const kernel = await context.pipelines.get(source);
    return new BoundKernel(kernel, context.bind(kernel, buffers));
  }

  encode(batch: CommandBatch, grid: Grid): void {
    batch.dispatch(this.#kernel, this.#binding, grid);
  }
}

/** Workgroups for `count` threads in groups of `size`, over two dimensions where one does not hold them. */
export function linearGrid(count: number, size: number): readonly [number, number] {
  const groups = Math.ceil(count / size);
  const x = Math.min(groups, 32_768);
  return [x, Math.ceil(groups / Math.max(1, x))];
}
