import { R1Error } from "../errors.ts";
import { STORAGE_USAGE } from "./arena.ts";
import { openGpu } from "./device.ts";
import type { GpuContext, GpuOptions } from "./device.ts";
import type { KernelSource } from "./pipelines.ts";
import { Readback } from "./readback.ts";

/** What of the device computes as the specification says. */
export interface SelfTestReport {
  readonly arithmetic: boolean;
  readonly reduction: boolean;
  /** Undefined where the feature is not in use. */
  readonly subgroups?: boolean;
  readonly f16?: boolean;
}

const THREADS = 64;
const WORDS = 4 * THREADS;

/**
 * Four columns of results per thread: float arithmetic, integer arithmetic, a workgroup reduction, and the optional
 * features (f16 unpacking, or the sum and numbering of subgroups).
 */
function selfTestSource(feature: "none" | "subgroups" | "f16"): KernelSource {
  const enable = { none: "", subgroups: "enable subgroups;\n", f16: "enable f16;\n" }[feature];
  const optional = {
    none: "bitcast<u32>(unpack2x16float(0x3c00u + thread).x)",
    f16: "bitcast<u32>(f32(bitcast<vec2<f16>>(0x3c00u + thread).x))",
    // Kernels number subgroups by thread / width; a driver that orders threads otherwise would sum the wrong partials.
    subgroups: "subgroupAdd(thread) * 2u + select(0u, 1u, sub_lane == thread % width)",
  }[feature];
  const builtins =
    feature === "subgroups"
      ? ", @builtin(subgroup_size) width: u32, @builtin(subgroup_invocation_id) sub_lane: u32"
      : "";
  return {
    label: `self-test ${feature}`,
    bindings: ["write"],
    code: `${enable}@group(0) @binding(0) var<storage, read_write> out: array<u32>;
var<workgroup> sums: array<f32, ${THREADS}>;
@compute @workgroup_size(${THREADS})
fn main(@builtin(local_invocation_index) thread: u32${builtins}) {
  let x = f32(thread) * 0.37 - 9.0;
  var acc = 0.0;
  for (var i = 0u; i < 33u; i++) { acc = fma(x, 1.0 / f32(i + 1u), acc); }
  out[thread] = bitcast<u32>(acc + exp(x * 0.25) + inverseSqrt(f32(thread) + 0.5));
  var h = thread * 0x9e3779b9u;
  h = (h << 13u) | (h >> 19u);
  out[${THREADS}u + thread] = (h ^ (h >> 7u)) * 0x85ebca6bu + ~thread;
  sums[thread] = f32(thread) + 0.25;
  workgroupBarrier();
  for (var half = ${THREADS / 2}u; half > 0u; half >>= 1u) {
    if (thread < half) { sums[thread] += sums[thread + half]; }
    workgroupBarrier();
  }
  out[${2 * THREADS}u + thread] = bitcast<u32>(sums[0]);
  out[${3 * THREADS}u + thread] = ${optional};
${feature === "subgroups" ? `  if (thread == 0u) { out[${WORDS}u] = width; }` : ""}
}`,
  };
}

async function run(context: GpuContext, feature: "none" | "subgroups" | "f16"): Promise<Uint32Array> {
  const scope = context.arena.scope("self-test");
  try {
    const kernel = await context.pipelines.get(selfTestSource(feature));
    const out = scope.create("out", (WORDS + 1) * 4, STORAGE_USAGE);
    const readback = new Readback(context, scope, (WORDS + 1) * 4, 1);
    const batch = context.commands();
    batch.dispatch(kernel, context.bind(kernel, [out]), [1]);
    const wait = readback.enqueue(batch, out, (WORDS + 1) * 4);
    batch.submit();
    return new Uint32Array((await wait()).buffer);
  } finally {
    scope.dispose();
  }
}

/** Compares a few hundred results with the host's; some drivers return garbage without any error. */
export async function selfTest(context: GpuContext): Promise<SelfTestReport> {
  const words = await run(context, "none");
  const floats = new Float32Array(words.buffer);
  const threads = Array.from({ length: THREADS }, (_, i) => i);
  const harmonic = Array.from({ length: 33 }, (_, i) => 1 / (i + 1)).reduce((a, b) => a + b, 0);
  const arithmetic = threads.every((i) => {
    const x = i * 0.37 - 9;
    const want = x * harmonic + Math.exp(x * 0.25) + 1 / Math.sqrt(i + 0.5);
    let h = Math.imul(i, 0x9e3779b9) >>> 0;
    h = ((h << 13) | (h >>> 19)) >>> 0;
    const hash = (Math.imul(h ^ (h >>> 7), 0x85ebca6b) + ~i) >>> 0;
    const half = 1 + i / 1024;
    return (
      Math.abs((floats[i] ?? Number.NaN) - want) < 1e-3 * (1 + Math.abs(want)) &&
      words[THREADS + i] === hash &&
      floats[3 * THREADS + i] === half
    );
  });
  const total = (THREADS * (THREADS - 1)) / 2 + 0.25 * THREADS;
  const reduction = threads.every((i) => floats[2 * THREADS + i] === total);
  return {
    arithmetic,
    reduction,
    ...(context.features.subgroups ? { subgroups: subgroupsAgree(await run(context, "subgroups")) } : {}),
    ...(context.features.f16 ? { f16: halvesAgree(new Float32Array((await run(context, "f16")).buffer)) } : {}),
  };
}

function subgroupsAgree(words: Uint32Array): boolean {
  const width = words[WORDS] ?? 0;
  if (width < 4 || width > 128) return false;
  return Array.from({ length: THREADS }, (_, i) => {
    const first = Math.floor(i / width) * width;
    const last = Math.min(first + width, THREADS) - 1;
    const sum = ((first + last) * (last - first + 1)) / 2;
    return words[3 * THREADS + i] === sum * 2 + 1;
  }).every(Boolean);
}

function halvesAgree(floats: Float32Array): boolean {
  return Array.from({ length: THREADS }, (_, i) => floats[3 * THREADS + i] === 1 + i / 1024).every(Boolean);
}

/**
 * Opens a device and checks it; an optional feature that computes wrongly is left unused.
 * @param open makes a device with the given options
 * @throws R1Error E_SELF_TEST when plain arithmetic or reductions are wrong
 */
export async function openChecked(
  open: (options: GpuOptions) => Promise<GpuContext>,
  options: GpuOptions = {},
): Promise<GpuContext> {
  const context = await open(options);
  const report = await selfTest(context);
  if (!report.arithmetic || !report.reduction) {
    context.destroy();
    throw new R1Error(
      "E_SELF_TEST",
      `this graphics driver computes wrong results (${context.adapter.description || context.adapter.vendor}); update it or use another browser`,
    );
  }
  const broken = (["subgroups", "f16"] as const).filter((feature) => report[feature] === false);
  if (broken.length === 0) return context;
  context.destroy();
  return open({ ...options, without: [...(options.without ?? []), ...broken] });
}

/** {@link openChecked} on a browser's `navigator.gpu`. */
export function openCheckedGpu(gpu: GPU | undefined, options: GpuOptions = {}): Promise<GpuContext> {
  return openChecked((chosen) => openGpu(gpu, chosen), options);
}
