import { describe, expect, it } from "vitest";
import { R1Error } from "../errors.ts";
import { GpuContext, openGpu } from "./device.ts";
import { openNodeGpu } from "./node/open.ts";
import { DEVICE_VARIANTS, testGpu } from "./node/test-device.ts";
import { Readback } from "./readback.ts";
import { openChecked, selfTest } from "./self-test.ts";
import { CommandBatch } from "./commands.ts";
import { GpuTimer } from "./timing.ts";

describe("device", () => {
  it.each(DEVICE_VARIANTS)("passes its self-test: $name", async ({ options }) => {
    const context = await testGpu(options);
    const report = await selfTest(context);
    expect(report.arithmetic && report.reduction).toBe(true);
    expect(report.subgroups ?? true).toBe(true);
    expect(report.f16 ?? true).toBe(true);
  });

  it("leaves out a feature that computes wrongly, and refuses a device that cannot add", async () => {
    const opened: string[] = [];
    const broken = (wrong: (words: Uint32Array) => void) => async (options: object) => {
      const context = await openNodeGpu("software", options);
      opened.push(JSON.stringify(options));
      const { device } = context;
      const make = device.createBuffer.bind(device);
      // A driver that returns wrong numbers, at the one place where results reach the host.
      device.createBuffer = (descriptor) => {
        const buffer = make(descriptor);
        const range = buffer.getMappedRange.bind(buffer);
        buffer.getMappedRange = (offset, size) => {
          const copy = range(offset, size);
          wrong(new Uint32Array(copy));
          return copy;
        };
        return buffer;
      };
      return context;
    };
    const noSubgroups = await openChecked(broken((words) => words.fill(words[256] ?? 0, 192, words[256] ? 256 : 192)));
    expect(noSubgroups.features.subgroups).toBe(false);
    expect(opened).toHaveLength(2);
    await expect(openChecked(broken((words) => words.fill(7)))).rejects.toMatchObject({ code: "E_SELF_TEST" });
  });

  it("says what is missing where there is no WebGPU or no adapter", async () => {
    await expect(openGpu(undefined)).rejects.toMatchObject({ code: "E_NO_WEBGPU" });
    const empty = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
    await expect(openGpu(empty)).rejects.toMatchObject({ code: "E_NO_ADAPTER" });
  });

  it("asks for the adapter's highest limits unless told to keep the defaults", async () => {
    const highest = await testGpu({});
    const defaults = await testGpu({ without: ["f16"], limits: "default" });
    expect(defaults.limits.maxBufferSize).toBe(256 * 2 ** 20);
    expect(highest.limits.maxBufferSize).toBeGreaterThan(defaults.limits.maxBufferSize);
  });

  it("reports device loss as an event and a typed error", async () => {
    const context = await openNodeGpu("software");
    const heard = new Promise<R1Error>((resolve) => context.onLost(resolve));
    context.destroy();
    expect((await heard).code).toBe("E_DEVICE_LOST");
    expect(await context.lost).toMatchObject({ reason: "destroyed" });
    expect(() => context.assertHealthy()).toThrow(R1Error);
    await expect(context.guarded("after loss", () => 1)).rejects.toMatchObject({ code: "E_DEVICE_LOST" });
  });
});

describe("errors of the GPU process become typed errors", () => {
  it("validation inside a scope", async () => {
    const context = await testGpu();
    const wrong = context.guarded("a bad copy", () => {
      const scope = context.arena.scope("bad");
      const batch = context.commands();
      batch.copy(scope.create("a", 16), 0, scope.create("b", 16), 0, 64);
      batch.submit();
    });
    await expect(wrong).rejects.toMatchObject({ code: "E_GPU_VALIDATION" });
  });

  it("a shader that does not compile, with the compiler's sentence", async () => {
    const context = await testGpu();
    const source = { label: "bad", bindings: [], code: "@compute @workgroup_size(1) fn main() { let x: u32 = 1.5; }" };
    await expect(context.pipelines.get(source)).rejects.toMatchObject({ code: "E_SHADER" });
    await expect(context.pipelines.get(source)).rejects.toThrow(/kernel bad does not compile: line 1/);
  });

  it("an uncaptured error surfaces at the next check, once", async () => {
    const context = await openNodeGpu("software");
    const scope = context.arena.scope("bad");
    const batch = context.commands();
    batch.copy(scope.create("a", 16), 0, scope.create("b", 16), 0, 64);
    batch.submit();
    await context.device.queue.onSubmittedWorkDone();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(() => context.assertHealthy()).toThrow(/copy/i);
    expect(() => context.assertHealthy()).not.toThrow();
    context.destroy();
  });

  it("a buffer over the device's limit is refused before it is made", async () => {
    const context = await testGpu({ without: ["f16"], limits: "default" });
    const scope = context.arena.scope("big");
    const live = context.arena.liveBuffers;
    expect(() => scope.create("big", 300 * 2 ** 20)).toThrow(/device allows 268435456/);
    expect(context.arena.liveBuffers).toBe(live);
  });
});

describe("buffers", () => {
  it("are counted, and freed with their scope", async () => {
    const context = await testGpu();
    const before = { buffers: context.arena.liveBuffers, bytes: context.arena.liveBytes };
    const scope = context.arena.scope("s");
    scope.create("a", 100);
    scope.create("b", 1);
    expect(context.arena.liveBuffers).toBe(before.buffers + 2);
    expect(context.arena.liveBytes).toBe(before.bytes + 100 + 16);
    scope.dispose();
    scope.dispose();
    expect(context.arena.liveBuffers).toBe(before.buffers);
    expect(context.arena.liveBytes).toBe(before.bytes);
    expect(() => scope.create("c", 4)).toThrow(R1Error);
  });

  it("come back through alternating staging buffers while the next step is under way", async () => {
    const context = await testGpu();
    const scope = context.arena.scope("readback");
    const source = scope.create("source", 16);
    const readback = new Readback(context, scope, 16);
    const waits: (() => Promise<Uint8Array>)[] = [];
    for (const value of [1, 2]) {
      context.write(source, new Uint32Array([value, 0, 0, 0]));
      const batch = context.commands();
      waits.push(readback.enqueue(batch, source, 16));
      batch.submit();
    }
    const first = await waits[0]?.();
    const second = await waits[1]?.();
    expect([first?.[0], second?.[0]]).toEqual([1, 2]);
    scope.dispose();
  });

  it("can be timed on the GPU's clock where it has one", async () => {
    const context = await testGpu();
    const scope = context.arena.scope("timer");
    const source = {
      label: "spin",
      bindings: ["write"],
      code: `@group(0) @binding(0) var<storage, read_write> out: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { for (var n = 0u; n < 1000u; n++) { out[i] += n; } }`,
    } as const;
    const kernel = await context.pipelines.get(source);
    const timer = new GpuTimer(context, scope);
    const batch = new CommandBatch(context, timer);
    batch.dispatch(kernel, context.bind(kernel, [scope.create("out", 256)]), [1]);
    batch.submit();
    const milliseconds = await timer.read();
    expect(milliseconds).toBeGreaterThan(0);
    expect(milliseconds).toBeLessThan(10_000);
    const plain = await testGpu({ without: ["timestamps"] });
    expect(() => new GpuTimer(plain, scope)).toThrow(/timestamp/);
    timer.destroy();
    scope.dispose();
  });

  it("hold the same kernel once", async () => {
    const context = await testGpu();
    const source = { label: "one", bindings: [], code: "@compute @workgroup_size(1) fn main() {}" };
    const before = context.counters.pipelinesCreated;
    const [a, b] = await Promise.all([
      context.pipelines.get(source),
      context.pipelines.get({ ...source, label: "two" }),
    ]);
    expect(a).toBe(b);
    expect(context.counters.pipelinesCreated).toBe(before + 1);
    expect(context).toBeInstanceOf(GpuContext);
  });
});
