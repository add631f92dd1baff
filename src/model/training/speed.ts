import type { GpuContext } from "../../gpu/device.ts";
import { uploadUniform } from "../../kernels/buffers.ts";
import { f32View, Gemm } from "../../kernels/gemm/gemm.ts";
import { Product } from "../../kernels/matmul/product.ts";
import { layoutOf, paddedK, QUANT_BLOCK } from "../../kernels/weights/format.ts";
import type { MatrixFormat } from "../../kernels/weights/format.ts";
import { allocateMatrix } from "../../kernels/weights/matrix.ts";
import { FEW_ROWS } from "../forward.ts";

/** How fast a device computes, measured on products of a model's kind. */
export interface DeviceSpeed {
  /** Floating-point operations per second of a product of many rows, as updates and prompts have them. */
  readonly manyRows: number;
  /** Seconds that a decode step of `rows` sequences takes per weight. */
  readonly decodePerWeight: number;
  readonly rows: number;
  /** Seconds of a dispatch that computes next to nothing: most of a small model's time. */
  readonly dispatch: number;
}

/** A matrix of two million weights: a few times what caches keep of a GPU's, and a fifth of a second in software. */
const ROWS = 2048;
const K = 1024;
const MANY = 64;
/** Of the smallest product: one tile. */
const TILE_ROWS = 64;
/** Repeated until at least so long: below, submitting is most of what is measured. */
const LEAST_MS = 20;
const MOST_REPEATS = 256;

/**
 * Measures three small products on this device, in the format of the weights.
 * @param sequences that decode together
 */
export async function measureSpeed(context: GpuContext, format: MatrixFormat, sequences: number): Promise<DeviceSpeed> {
  const scope = context.arena.scope("speed");
  try {
    return await context.guarded("measuring the device", async () => {
      const matrix = allocateMatrix(context, scope, "weights", [{ format, rows: ROWS }], K);
      const rows = Math.min(sequences, FEW_ROWS);
      const x = scope.create("x", MANY * K * 4);
      const y = scope.create("y", MANY * ROWS * 4);
      const [few, many] = [uploadUniform(context, scope, "few", [rows]), uploadUniform(context, scope, "many", [MANY])];
      const [chunk] = matrix.chunks;
      if (!chunk) throw new RangeError("a matrix without rows");
      const { data, scales } = chunk;
      const view = {
        ...f32View(data, ROWS, K),
        format,
        zeroPoints: matrix.zeroPoints,
        ...(scales ? { scales } : {}),
      };
      const [decode, update, small] = await Promise.all([
        Product.create(context, scope, {
          name: "decode",
          matrix,
          epilogue: "store",
          bias: false,
          kv: "f32",
          sizes: () => ({ yStride: ROWS, yColumn: 0, pair: 2 }),
          few: { step: few, x, outputs: [y], norm: false, maxRows: rows },
        }),
        Gemm.create(context, scope, {
          name: "update",
          form: "nt",
          step: many,
          a: { buffer: x, stride4: paddedK("f32", K) / 4 },
          weights: view,
          y: { buffer: y, stride4: ROWS / 4 },
          store: "store",
        }),
        Gemm.create(context, scope, {
          name: "small",
          form: "nt",
          step: few,
          a: { buffer: x, stride4: paddedK("f32", K) / 4 },
          weights: { ...view, rows: TILE_ROWS, k: Math.max(QUANT_BLOCK, layoutOf(format).padK) },
          y: { buffer: y, stride4: ROWS / 4 },
          store: "store",
        }),
      ]);
      const decodeSeconds = await timed(context, (commands) => decode.encodeFew(commands, rows));
      const updateSeconds = await timed(context, (commands) => update.encode(commands, MANY));
      const dispatch = await timed(context, (commands) => small.encode(commands, rows));
      return {
        manyRows: (2 * MANY * ROWS * K) / updateSeconds,
        decodePerWeight: decodeSeconds / (ROWS * K),
        rows,
        dispatch,
      };
    });
  } finally {
    scope.dispose();
  }
}

/** Seconds of one run of `encode`, of as many as it takes to be measured. */
async function timed(
  context: GpuContext,
  encode: (commands: ReturnType<GpuContext["commands"]>) => void,
): Promise<number> {
  const run = async (times: number): Promise<number> => {
    const commands = context.commands();
    for (let i = 0; i < times; i++) encode(commands);
    const started = performance.now();
    commands.submit();
    await context.device.queue.onSubmittedWorkDone();
    context.assertHealthy();
    return performance.now() - started;
  };
  // Some drivers finish compiling when a kernel first runs.
  await run(1);
  for (let times = 1; ; times *= 4) {
    const ms = await run(times);
    if (ms < LEAST_MS && times < MOST_REPEATS) continue;
    // What else the machine does makes single measurements longer, never shorter.
    const least = Math.min(ms, await run(times), await run(times));
    return Math.max(least, 0.001) / 1000 / times;
  }
}
