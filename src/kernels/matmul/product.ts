import type { BufferScope } from "../../gpu/arena.ts";
import type { CommandBatch } from "../../gpu/commands.ts";
import type { GpuContext } from "../../gpu/device.ts";
import type { Kernel } from "../../gpu/pipelines.ts";
import { rowLayout } from "../weights/format.ts";
import type { MatrixFormat } from "../weights/format.ts";
import { formatsOf } from "../weights/matrix.ts";
import type { EpilogueOptions } from "./epilogue.ts";
import { fewRowsGrid, fewRowsSource, ROW_TILES, rowTileFor, threadsFor } from "./few-rows.ts";
import type { RowTile } from "./few-rows.ts";
import { manyRowsGrid, manyRowsSource } from "./many-rows.ts";
import { gemmShape } from "../gemm/gemm.ts";
import { productColumns, productUniform, usesAux } from "./op.ts";
import type { ProductChunk, ProductMatrix, ProductOptions, ProductSizes } from "./op.ts";

/** Buffers that one shape of a product reads and writes. */
export interface ProductBuffers {
  /** `Step` uniform: the number of rows. */
  readonly step: GPUBuffer;
  /** x [rows, K padded to 32] f32. */
  readonly x: GPUBuffer;
  /** The epilogue's buffers, in its order. */
  readonly outputs: readonly GPUBuffer[];
}

export interface ProductDescription extends EpilogueOptions {
  readonly name: string;
  readonly matrix: ProductMatrix;
  /** Norm weights (padded to 32), then bias; see `usesAux`. */
  readonly aux?: GPUBuffer;
  /** Sizes for a chunk: the output column depends on it. */
  readonly sizes: (chunk: ProductChunk) => ProductSizes;
  /** The few-rows shape, with or without RMSNorm fused in. */
  readonly few?: ProductBuffers & { readonly norm: boolean; readonly maxRows: number };
  /** The many-rows shape; its x is already normalised. */
  readonly many?: ProductBuffers;
}

interface BoundChunk {
  readonly columns: number;
  readonly kernels: ProductKernels;
  readonly few: GPUBindGroup | undefined;
  readonly many: GPUBindGroup | undefined;
}

/** The kernels for chunks of one format. */
interface ProductKernels {
  readonly options: ProductOptions;
  readonly fewOptions: ProductOptions;
  readonly few: ReadonlyMap<RowTile, Kernel>;
  readonly many: Kernel | undefined;
}

/** y = epilogue(x · Wᵀ) with everything made in advance: encoding creates no buffer, bind group or pipeline. */
export class Product {
  readonly #chunks: readonly BoundChunk[];

  private constructor(chunks: readonly BoundChunk[]) {
    this.#chunks = chunks;
  }

  static async create(context: GpuContext, scope: BufferScope, description: ProductDescription): Promise<Product> {
    const { name, matrix, few, many, epilogue, aux } = description;
    const formats = new Map(
      await Promise.all(
        formatsOf(matrix).map(async (format) => [format, await makeKernels(context, description, format)] as const),
      ),
    );
    const bindWith = (
      kernel: Kernel,
      shape: ProductBuffers,
      with_: ProductOptions,
      op: GPUBuffer,
      chunk: ProductChunk,
    ) =>
      context.bind(kernel, [
        op,
        shape.step,
        shape.x,
        chunk.data,
        ...(chunk.scales ? [chunk.scales] : []),
        ...(usesAux(with_) && aux ? [aux] : []),
        ...shape.outputs,
      ]);
    const chunks = matrix.chunks.map((chunk): BoundChunk => {
      const kernels = formats.get(chunk.format);
      if (!kernels) throw new RangeError(`${name}: no kernels for ${chunk.format}`);
      const sizes = description.sizes(chunk);
      const op = productUniform(context, scope, `${name}[${chunk.start}]`, matrix, chunk, epilogue, sizes);
      // Kernels of all row tiles share a layout, so one bind group serves them all.
      const fewKernel = kernels.few.get(ROW_TILES[0]);
      return {
        columns: productColumns(chunk, epilogue),
        kernels,
        few: few && fewKernel ? bindWith(fewKernel, few, kernels.fewOptions, op, chunk) : undefined,
        many: many && kernels.many ? bindWith(kernels.many, many, kernels.options, op, chunk) : undefined,
      };
    });
    return new Product(chunks);
  }

  /** Adds the few-rows shape for `rows` rows, which must equal the `step` uniform's. */
  encodeFew(batch: CommandBatch, rows: number): void {
    const tile = rowTileFor(rows);
    for (const { few, kernels, columns } of this.#chunks) {
      const kernel = kernels.few.get(tile);
      if (!kernel || !few) throw new RangeError(`no few-rows shape for ${rows} rows`);
      batch.dispatch(kernel, few, fewRowsGrid(columns, rows, tile));
    }
  }

  /** Adds the many-rows shape for `rows` rows. */
  encodeMany(batch: CommandBatch, rows: number): void {
    for (const { many, kernels, columns } of this.#chunks) {
      if (!kernels.many || !many) throw new RangeError("no many-rows shape");
      batch.dispatch(kernels.many, many, manyRowsGrid(columns, rows));
    }
  }
}

async function makeKernels(
  context: GpuContext,
  { matrix, epilogue, bias, kv, adapted = false, few, many }: ProductDescription,
  format: MatrixFormat,
): Promise<ProductKernels> {
  const { subgroups, f16 } = context.features;
  const { zeroPoints, k } = matrix;
  const options: ProductOptions = {
    epilogue,
    bias,
    kv,
    ...(adapted ? { adapted: true } : {}),
    format,
    zeroPoints,
    f16,
    subgroups,
    norm: false,
  };
  const fewOptions: ProductOptions = { ...options, norm: few?.norm ?? false };
  const tiles = few ? ROW_TILES.filter((tile) => tile <= rowTileFor(few.maxRows)) : [];
  const threads = threadsFor(rowLayout(format, 0, k).steps, subgroups);
  const [fewKernels, manyKernel] = await Promise.all([
    Promise.all(
      tiles.map(async (rowTile) => {
        const kernel = await context.pipelines.get(fewRowsSource({ ...fewOptions, rowTile, threads }));
        return [rowTile, kernel] as const;
      }),
    ),
    many ? context.pipelines.get(manyRowsSource(options, gemmShape(context))) : undefined,
  ]);
  return { options, fewOptions, few: new Map(fewKernels), many: manyKernel };
}
