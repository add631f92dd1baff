import { R1Error } from "../errors.ts";
import type { GpuCounters } from "./counters.ts";

/** How a kernel sees one binding of group 0, in binding order. */
export type BindingKind = "uniform" | "read" | "write";

/** A compute kernel's source: WGSL with the entry point `main` and its bindings 0, 1, … of group 0. */
export interface KernelSource {
  readonly label: string;
  readonly code: string;
  readonly bindings: readonly BindingKind[];
}

/** A compiled kernel. Kernels with the same `bindings` share a layout, so their bind groups are interchangeable. */
export interface Kernel {
  readonly label: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

const BUFFER_TYPES: Record<BindingKind, GPUBufferBindingType> = {
  uniform: "uniform",
  read: "read-only-storage",
  write: "storage",
};

/** Compiles each distinct kernel once per device. */
export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #counters: GpuCounters;
  readonly #layouts = new Map<string, GPUBindGroupLayout>();
  readonly #kernels = new Map<string, Promise<Kernel>>();

  constructor(device: GPUDevice, counters: GpuCounters) {
    this.#device = device;
    this.#counters = counters;
  }

  /** @throws R1Error E_SHADER with the compiler's first message */
  get(source: KernelSource): Promise<Kernel> {
    const key = `${source.bindings.join()}\n${source.code}`;
    let kernel = this.#kernels.get(key);
    if (!kernel) {
      kernel = this.#compile(source);
      this.#kernels.set(key, kernel);
    }
    return kernel;
  }

  #layout(bindings: readonly BindingKind[]): GPUBindGroupLayout {
    const key = bindings.join();
    let layout = this.#layouts.get(key);
    if (!layout) {
      layout = this.#device.createBindGroupLayout({
        entries: bindings.map((kind, binding) => ({
          binding,
          visibility: 4 /* COMPUTE */,
          buffer: { type: BUFFER_TYPES[kind] },
        })),
      });
      this.#layouts.set(key, layout);
    }
    return layout;
  }

  async #compile(source: KernelSource): Promise<Kernel> {
    const layout = this.#layout(source.bindings);
    this.#counters.pipelinesCreated++;
    // The module's own error would only repeat, uncaught, what the pipeline's error below says.
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: source.label, code: source.code });
    const moduleError = this.#device.popErrorScope().catch(() => null);
    try {
      const pipeline = await this.#device.createComputePipelineAsync({
        label: source.label,
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main" },
      });
      return { label: source.label, pipeline, layout };
    } catch (cause) {
      await moduleError;
      const info = await module.getCompilationInfo();
      const first = info.messages.find((message) => message.type === "error");
      const where = first ? `line ${first.lineNum}: ${first.message}` : String(cause);
      throw new R1Error("E_SHADER", `kernel ${source.label} does not compile: ${where}`, {}, { cause });
    }
  }
}
