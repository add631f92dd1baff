import type { GgmlType } from "./gguf/ggml-type.ts";
import type { TensorDtype } from "./safetensors/dtype.ts";

/** A tensor of a checkpoint. */
export interface CheckpointTensor {
  readonly name: string;
  readonly dtype: TensorDtype | GgmlType;
  /** Outermost dimension first; empty for a scalar. */
  readonly shape: readonly number[];
  /** Bytes of its data. */
  readonly bytes: number;
}
