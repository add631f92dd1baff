import type { TensorDtype } from "./dtype.ts";

/** A tensor and where its data lies: bytes [begin, end) counted from the end of the header. */
export interface PlacedTensor {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
