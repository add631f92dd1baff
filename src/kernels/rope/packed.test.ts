import { describe, expect, it } from "vitest";
import { readF32, testGpu } from "../../gpu/node/test-device.ts";
import { uploadStorage, uploadUniform } from "../buffers.ts";
import { qkvReference } from "../matmul/reference.ts";
import { dot, expectDerivative } from "../testing-derivative.ts";
import { expectClose, noiseArray, padRows } from "../testing.ts";
import { PackedRope } from "./packed.ts";
import { ropeFrequencies, ropeTable } from "./rope.ts";

interface Shape {
  readonly headDim: number;
  readonly heads: number;
  readonly kvHeads: number;
}

const SHAPES: readonly (Shape & { readonly positions: readonly number[] })[] = [
  { headDim: 2, heads: 1, kvHeads: 1, positions: [3] },
  { headDim: 4, heads: 4, kvHeads: 2, positions: [0, 0, 1, 2, 3, 4, 5] },
  { headDim: 12, heads: 3, kvHeads: 3, positions: Array.from({ length: 33 }, (_, i) => (i * 7) % 40) },
  { headDim: 14, heads: 4, kvHeads: 1, positions: Array.from({ length: 130 }, (_, i) => 129 - i) },
];

function widthOf({ headDim, heads, kvHeads }: Shape): number {
  return (heads + 2 * kvHeads) * headDim;
}

function frequenciesOf({ headDim }: Shape): Float64Array {
  return ropeFrequencies(headDim, 100, { type: "none" });
}

/** By minus the angle; without bias, as its derivative has none. */
function inverseReference(shape: Shape, positions: readonly number[], values: ArrayLike<number>): Float64Array {
  const frequencies = frequenciesOf(shape).map((frequency) => -frequency);
  return qkvReference({ ...shape, product: Float64Array.from(values), positions, frequencies });
}

/** Rotates `values` [rows, width] in place, in one or more directions after each other. @returns [rows, width padded to 32] */
async function rotate(
  shape: Shape,
  positions: readonly number[],
  values: Float32Array,
  directions: readonly ("forward" | "inverse")[],
  bias?: Float32Array<ArrayBuffer>,
): Promise<Float32Array> {
  const context = await testGpu();
  const scope = context.arena.scope("packed rope test");
  const rows = positions.length;
  const padded = padRows(values, rows, widthOf(shape));
  const qkv = uploadStorage(context, scope, "qkv", padded);
  const at = 5;
  const aux = bias && Float32Array.from([...noiseArray(at, 7), ...bias]);
  const buffers = {
    step: uploadUniform(context, scope, "step", [rows]),
    // Only the second word is the position.
    rows: uploadStorage(context, scope, "rows", Uint32Array.from(positions.flatMap((p) => [99, p, 98, 97]))),
    rope: uploadStorage(context, scope, "rope", ropeTable(frequenciesOf(shape), 130)),
    qkv,
    ...(aux ? { bias: { buffer: uploadStorage(context, scope, "aux", aux), at } } : {}),
  };
  const batch = context.commands();
  for (const direction of directions) {
    const rope = await PackedRope.create(context, scope, direction, shape, buffers);
    rope.encode(batch, rows);
  }
  batch.submit();
  const got = await readF32(context, qkv, padded.length);
  scope.dispose();
  return got;
}

describe("rotary embedding of packed rows", () => {
  describe.each(SHAPES)("$headDim wide, $heads heads over $kvHeads", ({ positions, ...shape }) => {
    const rows = positions.length;
    const width = widthOf(shape);
    const values = noiseArray(rows * width, 1, 2);
    const frequencies = frequenciesOf(shape);

    it.each([false, true])("forward equals the reference, with bias: %s", async (biased) => {
      const bias = biased ? { bias: noiseArray(width, 2) } : {};
      const want = qkvReference({ ...shape, product: Float64Array.from(values), ...bias, positions, frequencies });
      const got = await rotate(shape, positions, values, ["forward"], bias.bias);
      expectClose(got, padRows(Float32Array.from(want), rows, width), 1e-6);
    });

    it("inverse equals the reference, and undoes forward", async () => {
      const want = Float32Array.from(inverseReference(shape, positions, values));
      expectClose(await rotate(shape, positions, values, ["inverse"]), padRows(want, rows, width), 1e-6);
      const back = await rotate(shape, positions, values, ["forward", "inverse"]);
      expectClose(back, padRows(values, rows, width), 1e-6);
    });

    it("inverse is forward's transpose: ⟨forward a, b⟩ = ⟨a, inverse b⟩", async () => {
      const other = noiseArray(rows * width, 3);
      const there = await rotate(shape, positions, values, ["forward"]);
      const back = await rotate(shape, positions, other, ["inverse"]);
      const left = dot(there, padRows(other, rows, width));
      const right = dot(padRows(values, rows, width), back);
      expect(Math.abs(left - right) / Math.sqrt(dot(values, values) * dot(other, other))).toBeLessThan(1e-6);
    });
  });

  it("rows beyond the step's stay as they are", async () => {
    const context = await testGpu();
    const scope = context.arena.scope("packed rope test");
    const shape = { headDim: 4, heads: 4, kvHeads: 2 };
    const values = noiseArray(9 * 32, 1);
    const qkv = uploadStorage(context, scope, "qkv", values);
    const rope = await PackedRope.create(context, scope, "forward", shape, {
      step: uploadUniform(context, scope, "step", [7]),
      rows: uploadStorage(context, scope, "rows", new Uint32Array(9 * 4).fill(3)),
      rope: uploadStorage(context, scope, "rope", ropeTable(frequenciesOf(shape), 4)),
      qkv,
    });
    const batch = context.commands();
    rope.encode(batch, 7);
    batch.submit();
    const got = await readF32(context, qkv, values.length);
    scope.dispose();
    expect(got.subarray(7 * 32)).toEqual(values.subarray(7 * 32));
    expect(got[6 * 32]).not.toBe(values[6 * 32]);
  });
});

describe("reference", () => {
  it("the inverse rotation is the derivative", () => {
    const shape = { headDim: 6, heads: 2, kvHeads: 1 };
    const positions = [0, 1, 5];
    const width = widthOf(shape);
    const [values, gradient, bias] = [noiseArray(3 * width, 1), noiseArray(3 * width, 2), noiseArray(width, 3)];
    const frequencies = frequenciesOf(shape);
    expectDerivative(
      (product) => dot(qkvReference({ ...shape, product, bias, positions, frequencies }), gradient),
      values,
      inverseReference(shape, positions, gradient),
    );
  });
});
