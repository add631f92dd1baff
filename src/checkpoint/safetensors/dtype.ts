/** Bits per element of every dtype of the reference parser (huggingface/safetensors, tensor.rs, `Dtype::bitsize`). */
const DTYPE_BITS = {
  BOOL: 8,
  F4: 4,
  F6_E2M3: 6,
  F6_E3M2: 6,
  U8: 8,
  I8: 8,
  F8_E5M2: 8,
  F8_E4M3: 8,
  F8_E8M0: 8,
  F8_E4M3FNUZ: 8,
  F8_E5M2FNUZ: 8,
  I16: 16,
  U16: 16,
  F16: 16,
  BF16: 16,
  I32: 32,
  U32: 32,
  F32: 32,
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
} as const;

export type TensorDtype = keyof typeof DTYPE_BITS;

export function isTensorDtype(name: string): name is TensorDtype {
  return Object.hasOwn(DTYPE_BITS, name);
}

export const TENSOR_DTYPES: readonly TensorDtype[] = Object.keys(DTYPE_BITS).filter(isTensorDtype);

/** Bits that a tensor takes; undefined when the number is too large to be exact, as that of no real file is. */
export function tensorBits(dtype: TensorDtype, shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of [...shape, DTYPE_BITS[dtype]]) {
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}
