import { describe, expect, it } from "vitest";
import { DEVICE_VARIANTS, readF32, readU32, testGpu } from "../../gpu/node/test-device.ts";
import type { KernelSource } from "../../gpu/pipelines.ts";
import { uploadStorage } from "../buffers.ts";
import { noise } from "../testing.ts";
import { gumbel, GUMBEL_WGSL } from "./gumbel.ts";
import { threefry2x32, THREEFRY_WGSL } from "./threefry.ts";
import type { U32Pair } from "./threefry.ts";
import { uniform, UNIFORM_WGSL } from "./uniform.ts";

/** Random123's published vectors (kat_vectors, threefry2x32, 20 rounds). */
const KNOWN_ANSWERS: readonly { key: U32Pair; counter: U32Pair; out: U32Pair }[] = [
  { key: [0, 0], counter: [0, 0], out: [0x6b200159, 0x99ba4efe] },
  { key: [0xffffffff, 0xffffffff], counter: [0xffffffff, 0xffffffff], out: [0x1cb996fc, 0xbb002be7] },
  { key: [0x13198a2e, 0x03707344], counter: [0x243f6a88, 0x85a308d3], out: [0xc4923a9c, 0x483df7a0] },
];

const EDGE_BITS = [0, 1, 2, 511, 512, 0x7fffffff, 0x80000000, 0xfffffdff, 0xfffffe00, 0xfffffffe, 0xffffffff];

function randomWords(count: number, seed: number): Uint32Array<ArrayBuffer> {
  const next = noise(seed);
  return Uint32Array.from({ length: count }, () => Math.floor((next() + 1) * 2 ** 31));
}

/** One thread per element of `input`, read as `element` at `i`, with `body` writing `y[i]`. */
function elementwise(snippet: string, element: string, result: string, body: string): KernelSource {
  return {
    label: "random test",
    bindings: ["read", "write"],
    code: `${snippet}
@group(0) @binding(0) var<storage, read> x: array<${element}>;
@group(0) @binding(1) var<storage, read_write> y: array<${result}>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i < arrayLength(&x)) { y[i] = ${body}; }
}`,
  };
}

describe("threefry2x32", () => {
  it.each(KNOWN_ANSWERS)("gives Random123's answer $out", ({ key, counter, out }) => {
    expect(threefry2x32(key, counter)).toEqual(out);
  });
});

describe("uniform", () => {
  it("stays strictly inside (0, 1), also when rounded to f32", () => {
    for (const bits of EDGE_BITS) {
      expect(Math.fround(uniform(bits))).toBe(uniform(bits));
      expect(uniform(bits)).toBeGreaterThan(0);
      expect(uniform(bits)).toBeLessThan(1);
    }
  });

  it("has the mean and variance of a uniform number", () => {
    const values = Array.from({ length: 40_000 }, (_, i) => uniform(threefry2x32([7, 0], [i, 3])[0]));
    const mean = values.reduce((sum, u) => sum + u, 0) / values.length;
    const variance = values.reduce((sum, u) => sum + (u - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.006);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.003);
  });
});

describe("gumbel", () => {
  it("has the mean and variance of a Gumbel number", () => {
    const values = Array.from({ length: 40_000 }, (_, i) => gumbel(threefry2x32([8, 0], [i, 3])[0]));
    const mean = values.reduce((sum, g) => sum + g, 0) / values.length;
    const variance = values.reduce((sum, g) => sum + (g - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 0.5772)).toBeLessThan(0.03);
    expect(Math.abs(variance - Math.PI ** 2 / 6)).toBeLessThan(0.08);
  });

  it("keeps its tails: finite at both ends and falling as the bits rise", () => {
    const values = EDGE_BITS.map((bits) => gumbel(bits));
    expect(values.toSorted((a, b) => b - a)).toEqual(values);
    expect(values[0]).toBeCloseTo(33 * Math.LN2, 6);
    expect(values.at(-1)).toBeCloseTo(-Math.log(33 * Math.LN2), 6);
  });
});

describe.each(DEVICE_VARIANTS)("on the GPU, $name", ({ options }) => {
  it("threefry2x32 gives the same bits", async () => {
    const context = await testGpu(options);
    const scope = context.arena.scope("threefry test");
    const cases = KNOWN_ANSWERS.flatMap(({ key, counter }) => [...key, ...counter]);
    const input = Uint32Array.from([...cases, ...randomWords(4 * 500, 1)]);
    const kernel = await context.pipelines.get(
      elementwise(THREEFRY_WGSL, "vec4<u32>", "vec2<u32>", "threefry2x32(x[i].xy, x[i].zw)"),
    );
    const out = scope.create("out", input.byteLength / 2);
    const batch = context.commands();
    batch.dispatch(kernel, context.bind(kernel, [uploadStorage(context, scope, "in", input), out]), [8]);
    batch.submit();
    const got = await readU32(context, out, input.length / 2);
    scope.dispose();
    const want = Array.from({ length: input.length / 4 }, (_, i) => {
      const [a = 0, b = 0, c = 0, d = 0] = input.subarray(4 * i, 4 * i + 4);
      return threefry2x32([a, b], [c, d]);
    }).flat();
    expect([...got]).toEqual(want);
  });

  it("uniform gives the same numbers and gumbel the same within 2e-6", async () => {
    const context = await testGpu(options);
    const scope = context.arena.scope("uniform test");
    const small = Array.from({ length: 32 }, (_, i) => 2 ** i - 1);
    const input = Uint32Array.from([...EDGE_BITS, ...small, ...small.map((b) => ~b >>> 0), ...randomWords(400, 2)]);
    const source = `${UNIFORM_WGSL}\n${GUMBEL_WGSL}`;
    const kernel = await context.pipelines.get(
      elementwise(source, "u32", "vec2<f32>", "vec2<f32>(uniform(x[i]), gumbel(x[i]))"),
    );
    const out = scope.create("out", input.byteLength * 2);
    const batch = context.commands();
    batch.dispatch(kernel, context.bind(kernel, [uploadStorage(context, scope, "in", input), out]), [8]);
    batch.submit();
    const got = await readF32(context, out, input.length * 2);
    scope.dispose();
    let worst = 0;
    input.forEach((bits, i) => {
      expect(got[2 * i]).toBe(uniform(bits));
      worst = Math.max(worst, Math.abs((got[2 * i + 1] ?? Number.NaN) - gumbel(bits)));
    });
    expect(worst).toBeLessThan(2e-6);
  });
});
