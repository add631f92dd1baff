import { R1Error } from "../errors.ts";
import { BufferArena } from "./arena.ts";
import { newCounters } from "./counters.ts";
import type { GpuCounters } from "./counters.ts";
import { CommandBatch } from "./commands.ts";
import { PipelineCache } from "./pipelines.ts";
import type { Kernel } from "./pipelines.ts";

/** The optional features this project can use; each has a path without it. */
export interface GpuFeatures {
  /** `shader-f16`: half-precision loads in kernels (storage only, arithmetic stays f32). */
  readonly f16: boolean;
  readonly subgroups: boolean;
  /** `timestamp-query`: GPU-side timing. */
  readonly timestamps: boolean;
  readonly subgroupMinSize: number;
  readonly subgroupMaxSize: number;
}

export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  /** A software renderer: slow, but the same numbers. */
  readonly isFallback: boolean;
}

export interface GpuOptions {
  readonly powerPreference?: GPUPowerPreference;
  /** Leave features unused although the adapter has them; tests compare both paths. */
  readonly without?: readonly ("f16" | "subgroups" | "timestamps")[];
  /** `default` keeps WebGPU's guaranteed limits; `highest` (default) asks for all the adapter has. */
  readonly limits?: "highest" | "default";
}

/** Anything that may stand in a bind group. */
export type Bindable = GPUBuffer | GPUBufferBinding;

/** A device with its buffers, pipelines and counters; the one thing every kernel is given. */
export class GpuContext {
  readonly device: GPUDevice;
  readonly adapter: AdapterDescription;
  readonly features: GpuFeatures;
  readonly limits: GPUSupportedLimits;
  readonly counters: GpuCounters = newCounters();
  readonly arena: BufferArena;
  readonly pipelines: PipelineCache;
  /** Resolves, never rejects, when the device is gone; `destroyed` when we asked for it. */
  readonly lost: Promise<{ readonly reason: "destroyed" | "unknown"; readonly message: string }>;
  #failure: R1Error | undefined;
  #lossListeners = new Set<(error: R1Error) => void>();

  constructor(device: GPUDevice, adapter: AdapterDescription, features: GpuFeatures) {
    this.device = device;
    this.adapter = adapter;
    this.features = features;
    this.limits = device.limits;
    this.arena = new BufferArena(device, this.counters);
    this.pipelines = new PipelineCache(device, this.counters);
    device.addEventListener("uncapturederror", (event) => {
      this.#failure ??= typedGpuError(event.error, "GPU");
    });
    this.lost = device.lost.then((info) => {
      const reason = info.reason === "destroyed" ? "destroyed" : "unknown";
      const error = new R1Error("E_DEVICE_LOST", `the GPU device was lost: ${info.message || reason}`, { reason });
      this.#failure = error;
      for (const listener of this.#lossListeners) listener(error);
      return { reason, message: info.message };
    });
  }

  /** Calls back once if the device is lost; returns the function that stops listening. */
  onLost(listener: (error: R1Error) => void): () => void {
    this.#lossListeners.add(listener);
    return () => this.#lossListeners.delete(listener);
  }

  /** @throws the first error the device reported outside any scope, or E_DEVICE_LOST */
  assertHealthy(): void {
    const failure = this.#failure;
    if (!failure) return;
    // A lost device stays lost; any other error is reported once and the device goes on.
    if (failure.code !== "E_DEVICE_LOST") this.#failure = undefined;
    throw failure;
  }

  /** Bind group 0 of a kernel: the buffers in the order of its `bindings`. */
  bind(kernel: Kernel, buffers: readonly Bindable[]): GPUBindGroup {
    this.counters.bindGroupsCreated++;
    return this.device.createBindGroup({
      label: kernel.label,
      layout: kernel.layout,
      entries: buffers.map((item, binding) => ({
        binding,
        resource: "buffer" in item ? item : { buffer: item },
      })),
    });
  }

  commands(): CommandBatch {
    return new CommandBatch(this);
  }

  write(buffer: GPUBuffer, data: ArrayBufferView<ArrayBuffer>, byteOffset = 0): void {
    this.device.queue.writeBuffer(buffer, byteOffset, data.buffer, data.byteOffset, data.byteLength);
  }

  /**
   * Runs `work` inside error scopes.
   * @throws R1Error E_OUT_OF_MEMORY, E_GPU_VALIDATION or E_GPU_INTERNAL for what the GPU process reported
   */
  async guarded<T>(label: string, work: () => T | Promise<T>): Promise<T> {
    const { device } = this;
    for (const filter of ["internal", "validation", "out-of-memory"] as const) device.pushErrorScope(filter);
    const outcome = await settle(work);
    const errors = await Promise.all([0, 1, 2].map(() => device.popErrorScope().catch(() => null)));
    // After a loss every later error is only its echo.
    this.#throwIfLost();
    const reported = errors.find((error) => error !== null);
    if (reported) throw typedGpuError(reported, label);
    if (!outcome.done) throw outcome.error;
    return outcome.value;
  }

  #throwIfLost(): void {
    if (this.#failure?.code === "E_DEVICE_LOST") throw this.#failure;
  }

  destroy(): void {
    this.device.destroy();
  }
}

type Outcome<T> = { readonly done: true; readonly value: T } | { readonly done: false; readonly error: unknown };

async function settle<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { done: true, value: await work() };
  } catch (error) {
    return { done: false, error };
  }
}

function typedGpuError(error: GPUError, label: string): R1Error {
  const kind = error.constructor.name;
  if (kind === "GPUOutOfMemoryError") {
    return new R1Error("E_OUT_OF_MEMORY", `${label}: the GPU has not enough memory: ${error.message}`);
  }
  if (kind === "GPUValidationError") return new R1Error("E_GPU_VALIDATION", `${label}: ${error.message}`);
  return new R1Error("E_GPU_INTERNAL", `${label}: ${error.message}`);
}

/**
 * Opens the best adapter with the highest limits it has and only optional features.
 * @throws R1Error E_NO_WEBGPU, E_NO_ADAPTER
 */
export async function openGpu(gpu: GPU | undefined, options: GpuOptions = {}): Promise<GpuContext> {
  if (!gpu) throw new R1Error("E_NO_WEBGPU", "this browser has no WebGPU (navigator.gpu is missing)");
  const adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? "high-performance" });
  if (!adapter) throw new R1Error("E_NO_ADAPTER", "WebGPU is there, but no graphics adapter could be had");
  const without = new Set(options.without);
  const has = (feature: GPUFeatureName, name: "f16" | "subgroups" | "timestamps"): boolean =>
    adapter.features.has(feature) && !without.has(name);
  const features: GpuFeatures = {
    f16: has("shader-f16", "f16"),
    subgroups: has("subgroups", "subgroups"),
    timestamps: has("timestamp-query", "timestamps"),
    subgroupMinSize: adapter.info.subgroupMinSize || 4,
    subgroupMaxSize: adapter.info.subgroupMaxSize || 128,
  };
  const requiredFeatures: GPUFeatureName[] = [];
  if (features.f16) requiredFeatures.push("shader-f16");
  if (features.subgroups) requiredFeatures.push("subgroups");
  if (features.timestamps) requiredFeatures.push("timestamp-query");
  const device = await adapter.requestDevice({
    requiredFeatures,
    ...(options.limits === "default" ? {} : { requiredLimits: highestLimits(adapter.limits) }),
  });
  const { info } = adapter;
  return new GpuContext(
    device,
    {
      vendor: info.vendor,
      architecture: info.architecture,
      device: info.device,
      description: info.description,
      isFallback: info.isFallbackAdapter,
    },
    features,
  );
}

const RAISED_LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const satisfies readonly (keyof GPUSupportedLimits)[];

function highestLimits(limits: GPUSupportedLimits): Record<string, number> {
  const wanted: Record<string, number> = {};
  for (const name of RAISED_LIMITS) {
    const value = limits[name];
    if (typeof value === "number") wanted[name] = value;
  }
  return wanted;
}
