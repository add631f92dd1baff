import { throwIfAborted } from "../../../errors.ts";
import type { Checkpoint } from "../../checkpoint.ts";
import { FLOAT_BYTES, fromFloats, isFloatDtype, requireF16Range, toFloats } from "../../floats.ts";
import { dequantize, readableDtypeOf } from "../../gguf/dequantize/dequantize.ts";
import { elementCount, floatSlabs, nearestFloatType, readFinite } from "../model.ts";
import type { ExportTensor } from "../model.ts";
import type { OnnxInitializer } from "./graph.ts";

/** Elements of a piece that is made at a time. */
const SLAB_ELEMENTS = 1 << 20;

/** Types that matrices are stored in; all else is f32. */
export type OnnxFloat = "F32" | "F16";
const TYPES = { F32: "float", F16: "float16" } as const;

/** @throws R1Error E_QUANTIZATION for a value that f16 has not */
function stored(values: Float32Array<ArrayBuffer>, as: OnnxFloat, name: string): Uint8Array<ArrayBuffer> {
  if (as === "F16") requireF16Range(values, name);
  return fromFloats(values, as);
}

/** A tensor in its own order. */
export function floats(checkpoint: Checkpoint, tensor: ExportTensor, as: OnnxFloat = "F32"): OnnxInitializer {
  const { name, shape } = tensor;
  return {
    name,
    type: TYPES[as],
    shape,
    data: {
      size: elementCount(shape) * FLOAT_BYTES[as],
      async *chunks(signal) {
        for await (const slab of floatSlabs(checkpoint, tensor, 1, signal)) yield stored(slab, as, name);
      },
    },
  };
}

/** A matrix [out, in] as [in, out], as MatMul takes it; it is read whole, in its own type or, quantized, as f32. */
export function transposed(
  checkpoint: Checkpoint,
  { name, shape }: ExportTensor,
  as: OnnxFloat = "F32",
): OnnxInitializer {
  const [rows = 0, columns = 0] = shape;
  return {
    name,
    type: TYPES[as],
    shape: [columns, rows],
    data: {
      size: rows * columns * FLOAT_BYTES[as],
      async *chunks(signal) {
        // Blocks lie along rows, so that columns cannot be taken out of them: they become f32 first.
        const type = nearestFloatType(checkpoint, name);
        const Words = FLOAT_BYTES[type] === 4 ? Uint32Array : Uint16Array;
        const bytes = await readFloats(checkpoint, name, signal);
        const source = new Words(bytes.buffer, bytes.byteOffset, rows * columns);
        const most = Math.max(1, Math.floor(SLAB_ELEMENTS / rows));
        for (let begin = 0; begin < columns; begin += most) {
          throwIfAborted(signal);
          const count = Math.min(most, columns - begin);
          const slab = new Words(count * rows);
          for (let row = 0; row < rows; row++) {
            const from = row * columns + begin;
            for (let i = 0; i < count; i++) slab[i * rows + row] = source[from + i] ?? 0;
          }
          yield stored(toFloats(new Uint8Array(slab.buffer), type), as, name);
        }
      },
    },
  };
}

/** A whole tensor in its own type, a quantized one as f32. */
async function readFloats(
  checkpoint: Checkpoint,
  name: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readFinite(checkpoint, name, undefined, undefined, signal);
  const tensor = checkpoint.tensors.get(name);
  const type = tensor && readableDtypeOf(tensor);
  return type === undefined || isFloatDtype(type) ? bytes : new Uint8Array(dequantize(type, bytes).buffer);
}

/** cos or sin of each position's angles [positions, pairs], computed in f64. */
export function rotaryCache(
  name: string,
  turn: (angle: number) => number,
  frequencies: Float64Array,
  positions: number,
): OnnxInitializer {
  const pairs = frequencies.length;
  return {
    name,
    type: "float",
    shape: [positions, pairs],
    data: {
      size: positions * pairs * 4,
      async *chunks(signal) {
        const most = Math.max(1, Math.floor(SLAB_ELEMENTS / pairs));
        for (let begin = 0; begin < positions; begin += most) {
          throwIfAborted(signal);
          const slab = new Float32Array(Math.min(most, positions - begin) * pairs);
          for (let i = 0; i < slab.length; i++) {
            slab[i] = turn((begin + Math.floor(i / pairs)) * (frequencies[i % pairs] ?? 0));
          }
          yield fromFloats(slab, "F32");
        }
      },
    },
  };
}

/** int64 numbers; without a shape a scalar. */
export function integers(name: string, values: readonly number[], shape: readonly number[] = []): OnnxInitializer {
  const bytes = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  return {
    name,
    type: "int64",
    shape,
    data: {
      size: bytes.length,
      async *chunks() {
        yield bytes;
      },
    },
  };
}
