import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { siluReference } from "../matmul/reference.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noiseArray, padRows } from "../testing.ts";
import { ACTIVATION_PAD, roundUp } from "../weights/format.ts";
import { swigluGradientReference } from "./reference.ts";
import { Swiglu } from "./swiglu.ts";

/** Rows of gate and up [rows, 2 × width], each padded to 32 by itself. */
function padBoth(gateUp: ArrayLike<number>, rows: number, width: number): Float32Array<ArrayBuffer> {
  return padRows(Float32Array.from(gateUp), 2 * rows, width);
}

/** @returns y and the gradient for gate and up, with their padding and a row more than was asked for */
async function run(gateUp: Float32Array, dy: Float32Array, rows: number, width: number) {
  const context = await testGpu();
  const scope = context.arena.scope("swiglu test");
  const stride = roundUp(width, ACTIVATION_PAD);
  const [y, dGateUp] = [noiseArray((rows + 1) * stride, 8), noiseArray((rows + 1) * 2 * stride, 9)];
  const step = uploadUniform(context, scope, "step", [rows]);
  const buffers = {
    step,
    gateUp: uploadStorage(context, scope, "gate, up", padBoth(gateUp, rows, width)),
    y: uploadStorage(context, scope, "y", y),
    dY: uploadStorage(context, scope, "dy", padRows(dy, rows, width)),
    dGateUp: uploadStorage(context, scope, "d gate, d up", dGateUp),
  };
  const forward = await Swiglu.forward(context, scope, width, buffers);
  const gradient = await Swiglu.gradient(context, scope, width, buffers);
  const batch = context.commands();
  forward.encode(batch, rows);
  gradient.encode(batch, rows);
  batch.submit();
  const got = {
    y: await readF32(context, buffers.y, y.length),
    dGateUp: await readF32(context, buffers.dGateUp, dGateUp.length),
  };
  scope.dispose();
  expect(got.y.subarray(rows * stride), "the row after the last").toEqual(y.subarray(rows * stride));
  expect(got.dGateUp.subarray(rows * 2 * stride)).toEqual(dGateUp.subarray(rows * 2 * stride));
  return { y: got.y.subarray(0, rows * stride), dGateUp: got.dGateUp.subarray(0, rows * 2 * stride) };
}

async function check(gateUp: Float32Array, rows: number, width: number): Promise<void> {
  const dy = noiseArray(rows * width, 2);
  const got = await run(gateUp, dy, rows, width);
  const want = Float32Array.from(siluReference(Float64Array.from(gateUp), rows, width));
  expectClose(got.y, padRows(want, rows, width), 1e-6);
  expectClose(got.dGateUp, padBoth(swigluGradientReference(gateUp, dy, rows, width), rows, width), 1e-6);
}

describe("SwiGLU", () => {
  it.each([
    [1, 1],
    [7, 7],
    [3, 33],
    [33, 130],
    [130, 32],
  ])("%i rows of %i: output and gradients equal the reference, padding stays zero", async (rows, width) => {
    await check(noiseArray(rows * 2 * width, 1, 5), rows, width);
  });

  it("gates of ±200, whose exponential is no f32", async () => {
    const gates = [200, -200, 90, -90, 30, -30, 0];
    await check(Float32Array.from([...gates, ...noiseArray(7, 3)]), 1, 7);
  });
});

describe("reference", () => {
  it.each([
    [1, 1],
    [3, 7],
  ])("its gradient is its derivative: %i rows of %i", (rows, width) => {
    const [gateUp, dy] = [noiseArray(rows * 2 * width, 1, 3), noiseArray(rows * width, 2)];
    const gradient = swigluGradientReference(gateUp, dy, rows, width);
    expectDerivative((both) => dot(siluReference(both, rows, width), dy), gateUp, gradient);
  });
});
