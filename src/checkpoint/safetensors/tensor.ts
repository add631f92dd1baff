import type { TensorDtype } from "./dtype.ts";

/** A tensor of a checkpoint. */
export interface CheckpointTensor {
  readonly name: string;
  readonly dtype: TensorDtype;
  /** Outermost dimension first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Bytes of its data. */
  readonly bytes: number;
}

/** A tensor and where its data lies: bytes [begin, end) counted from the end of the header. */
export interface PlacedTensor {
  readonly name: string;
  readonly dtype: TensorDtype;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}
