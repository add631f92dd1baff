import { describe, expect, it } from "vitest";
import { testGpu } from "../../gpu/node/test-device.ts";
import { K_QUANT_FORMATS, rowBytes, scaleBytes } from "./format.ts";
import type { MatrixFormat } from "./format.ts";
import { allocateMatrix } from "./matrix.ts";
import type { MatrixOptions, RowRun, WeightMatrix } from "./matrix.ts";

/** Allocates as on a device whose bindings hold no more than `maxChunkBytes`; the buffers are freed at once. */
async function allocate(
  maxChunkBytes: number,
  format: MatrixFormat,
  [rows, k]: readonly [number, number],
  options: MatrixOptions = {},
): Promise<WeightMatrix> {
  return allocateRuns(maxChunkBytes, [{ format, rows }], k, options);
}

async function allocateRuns(
  maxChunkBytes: number,
  runs: readonly RowRun[],
  k: number,
  options: MatrixOptions = {},
): Promise<WeightMatrix> {
  const context = await testGpu();
  const scope = context.arena.scope("matrix test");
  try {
    return allocateMatrix(context, scope, "w", runs, k, { ...options, maxChunkBytes });
  } finally {
    scope.dispose();
  }
}

const extents = ({ chunks }: WeightMatrix): (readonly [number, number])[] =>
  chunks.map(({ start, count }) => [start, count]);

describe("a matrix in buffers", () => {
  it("is one chunk where it fits a binding", async () => {
    const matrix = await allocate(10 * rowBytes("f32", 33), "f32", [10, 33]);
    expect(extents(matrix)).toEqual([[0, 10]]);
    expect(matrix.chunks[0]?.data.size).toBe(10 * rowBytes("f32", 33));
  });

  it("is split into chunks of about equal size where it does not", async () => {
    const matrix = await allocate(6 * rowBytes("f16", 130), "f16", [13, 130]);
    expect(extents(matrix)).toEqual([
      [0, 5],
      [5, 5],
      [10, 3],
    ]);
  });

  it("keeps rows that belong together in one chunk", async () => {
    const matrix = await allocate(9 * rowBytes("bf16", 33), "bf16", [20, 33], { rowsTogether: 4 });
    expect(extents(matrix)).toEqual([
      [0, 8],
      [8, 8],
      [16, 4],
    ]);
  });

  it("counts stacked matrices, and scales and zero points with them", async () => {
    const matrix = await allocate(10 * rowBytes("q4", 70), "q4", [7, 70], { stacked: 2, zeroPoints: true });
    expect(extents(matrix)).toEqual([
      [0, 4],
      [4, 3],
    ]);
    for (const { count, data, scales } of matrix.chunks) {
      expect(data.size).toBe(2 * count * rowBytes("q4", 70));
      expect(scales?.size).toBe(scaleBytes("q4", 2 * count, 70, true));
    }
  });

  it("is split where a dispatch could not reach all of its rows", async () => {
    // Four rows to a workgroup, 65,535 workgroups.
    const matrix = await allocate(2 ** 24, "f32", [300_000, 1]);
    expect(extents(matrix)).toEqual([
      [0, 150_000],
      [150_000, 150_000],
    ]);
  });

  it("begins a chunk where the format changes, and splits each format by its own bytes", async () => {
    const runs = [
      { format: "q4_k", rows: 12 },
      { format: "q6_k", rows: 8 },
    ] as const;
    const matrix = await allocateRuns(6 * rowBytes("q6_k", 512), runs, 512, { rowsTogether: 4 });
    expect(matrix.rows).toBe(20);
    expect(extents(matrix)).toEqual([
      [0, 8],
      [8, 4],
      [12, 4],
      [16, 4],
    ]);
    expect(matrix.chunks.map(({ format }) => format)).toEqual(["q4_k", "q4_k", "q6_k", "q6_k"]);
  });

  it.each([
    ["q4_k", 4.5],
    ["q6_k", 6.5625],
  ] as const)("takes in %s the %f bits a weight that GGML's blocks take", async (format, bits) => {
    const { chunks } = await allocate(2 ** 20, format, [6, 768]);
    const bytes = chunks.reduce((sum, { data, scales }) => sum + data.size + (scales?.size ?? 0), 0);
    expect(bytes).toBe((6 * 768 * bits) / 8);
  });

  it.each(K_QUANT_FORMATS)("is refused in %s where rows are not whole blocks", async (format) => {
    await expect(allocate(2 ** 20, format, [8, 320])).rejects.toMatchObject({
      code: "E_QUANTIZATION",
      message: expect.stringContaining("multiple of 256"),
    });
  });

  it("is refused, by name, where not even one row fits", async () => {
    const allocated = allocate(3 * rowBytes("f32", 33), "f32", [8, 33], { rowsTogether: 4 });
    await expect(allocated).rejects.toMatchObject({ code: "E_LIMIT", message: expect.stringContaining("w: 4 rows") });
  });
});
