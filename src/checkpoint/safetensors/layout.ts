import { R1Error } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { quote } from "../quote.ts";
import { tensorBits } from "./dtype.ts";
import type { PlacedTensor } from "./tensor.ts";

/**
 * Holds tensors to the format's rules: sorted by offset they cover the data exactly, without gap or overlap, and each
 * has as many bytes as its shape and dtype say (huggingface/safetensors, tensor.rs, `Metadata::validate`).
 * @param dataBytes bytes of the file after its header
 * @param file name for messages
 * @returns the tensors in the order of their data
 * @throws R1Error E_TENSOR_OFFSETS, E_TENSOR_INFO, E_FILE_TRUNCATED
 */
export function checkLayout(tensors: readonly PlacedTensor[], dataBytes: number, file: string): PlacedTensor[] {
  const error = (code: ErrorCode, problem: string): R1Error => new R1Error(code, `${file}: ${problem}`, { file });
  const sorted = tensors.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  for (const { name, dtype, shape, begin, end } of sorted) {
    const field = `tensor ${quote(name)}`;
    if (begin !== covered || end < begin) {
      throw error(
        "E_TENSOR_OFFSETS",
        `${field} data_offsets: found [${begin}, ${end}]; expected to begin at ${covered}, where the data before it ends`,
      );
    }
    const bits = tensorBits(dtype, shape);
    if (bits === undefined) {
      throw error("E_TENSOR_INFO", `${field} shape: [${shape.join(", ")}] of ${dtype} has more bytes than any file`);
    }
    if (bits !== (end - begin) * 8) {
      throw error(
        "E_TENSOR_INFO",
        `${field}: data_offsets [${begin}, ${end}] span ${end - begin} bytes; [${shape.join(", ")}] of ${dtype} takes ${bits / 8}`,
      );
    }
    covered = end;
  }
  if (covered > dataBytes) {
    throw error(
      "E_FILE_TRUNCATED",
      `${dataBytes} bytes of tensors; the header describes ${covered}: the file is cut off`,
    );
  }
  if (covered < dataBytes) {
    throw error(
      "E_TENSOR_OFFSETS",
      `${dataBytes - covered} bytes follow the last tensor; expected the file to end there`,
    );
  }
  return sorted;
}
