import { R1Error } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { JsonScanner } from "../json-scanner.ts";
import type { JsonKind } from "../json-scanner.ts";
import { quote } from "../quote.ts";
import { isTensorDtype, TENSOR_DTYPES } from "./dtype.ts";
import type { TensorDtype } from "./dtype.ts";
import type { PlacedTensor } from "./tensor.ts";

/** What a safetensors header says; see `checkLayout` for whether its offsets hold. */
export interface Header {
  /** `__metadata__`, empty when there is none. */
  readonly metadata: Readonly<Record<string, string>>;
  /** In the header's order. */
  readonly tensors: readonly PlacedTensor[];
}

/** Twice what DeepSeek-R1's 163 shards hold together (91,991). */
export const MAX_TENSORS = 200_000;
/** NumPy's own limit; PyTorch's kernels stop at 64 as well. */
const MAX_RANK = 64;

/**
 * Parses the JSON of a safetensors header. Stricter than JSON.parse: no key twice, sizes written as plain integers.
 * Unknown fields of a tensor are ignored, as the reference parser does.
 * @param file name for messages
 * @throws R1Error E_HEADER_INVALID, E_TENSOR_INFO, E_TENSOR_OFFSETS, E_DTYPE
 */
export function parseHeader(text: string, file: string): Header {
  if (!text.startsWith("{")) {
    const found = text === "" ? "nothing" : quote(text.slice(0, 1));
    throw new R1Error("E_HEADER_INVALID", `${file}: the header begins with ${found}; expected "{"`, { file });
  }
  return new HeaderReader(text, file).header();
}

class HeaderReader {
  readonly #file: string;
  readonly #json: JsonScanner;

  constructor(text: string, file: string) {
    this.#file = file;
    this.#json = new JsonScanner(text, (problem) => this.#error("E_HEADER_INVALID", `the header: ${problem}`));
  }

  header(): Header {
    let metadata = emptyMetadata();
    const tensors: PlacedTensor[] = [];
    this.#json.object((key) => {
      if (key === "__metadata__") metadata = this.#metadata();
      else if (tensors.length < MAX_TENSORS) tensors.push(this.#tensor(key));
      else throw this.#error("E_HEADER_INVALID", `more than ${MAX_TENSORS} tensors`);
    });
    this.#json.end();
    return { metadata, tensors };
  }

  #metadata(): Record<string, string> {
    this.#expect("object", "E_HEADER_INVALID", "__metadata__");
    const metadata = emptyMetadata();
    this.#json.object((key) => {
      this.#expect("string", "E_HEADER_INVALID", `__metadata__ ${quote(key)}`);
      metadata[key] = this.#json.string();
    });
    return metadata;
  }

  #tensor(name: string): PlacedTensor {
    const field = `tensor ${quote(name)}`;
    this.#expect("object", "E_TENSOR_INFO", field);
    let dtype: TensorDtype | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.#json.object((key) => {
      if (key === "dtype") dtype = this.#dtype(field);
      else if (key === "shape") shape = this.#integers("E_TENSOR_INFO", `${field} shape`, MAX_RANK);
      else if (key === "data_offsets") offsets = this.#integers("E_TENSOR_OFFSETS", `${field} data_offsets`, 2);
      else this.#json.skip();
    });
    if (!dtype) throw this.#error("E_TENSOR_INFO", `${field} has no dtype`);
    if (!shape) throw this.#error("E_TENSOR_INFO", `${field} has no shape`);
    if (!offsets) throw this.#error("E_TENSOR_INFO", `${field} has no data_offsets`);
    const [begin, end] = offsets;
    if (begin === undefined || end === undefined) {
      throw this.#error("E_TENSOR_OFFSETS", `${field} data_offsets: found [${offsets.join()}]; expected [begin, end]`);
    }
    return { name, dtype, shape, begin, end };
  }

  #dtype(field: string): TensorDtype {
    this.#expect("string", "E_TENSOR_INFO", `${field} dtype`);
    const dtype = this.#json.string();
    if (isTensorDtype(dtype)) return dtype;
    throw this.#error("E_DTYPE", `${field} dtype: found ${quote(dtype)}; expected one of ${TENSOR_DTYPES.join(", ")}`);
  }

  #integers(code: ErrorCode, field: string, most: number): number[] {
    this.#expect("array", code, field);
    const values: number[] = [];
    this.#json.array(() => {
      this.#expect("number", code, field);
      const written = this.#json.number();
      const value = Number(written);
      if (!/^\d+$/.test(written) || !Number.isSafeInteger(value)) {
        throw this.#error(
          code,
          `${field}: found ${quote(written)}; expected an integer from 0 to ${Number.MAX_SAFE_INTEGER}`,
        );
      }
      if (values.length === most) throw this.#error(code, `${field}: found more than ${most} numbers`);
      values.push(value);
    });
    return values;
  }

  #expect(kind: JsonKind, code: ErrorCode, field: string): void {
    const found = this.#json.kind();
    if (found !== kind) throw this.#error(code, `${field}: found JSON ${found}; expected ${kind}`);
  }

  #error(code: ErrorCode, problem: string): R1Error {
    return new R1Error(code, `${this.#file}: ${problem}`, { file: this.#file });
  }
}

/** A record without a prototype, so that `__proto__` and `constructor` are keys like any other. */
export function emptyMetadata(): Record<string, string> {
  const record: Record<string, string> = {};
  Object.setPrototypeOf(record, null);
  return record;
}
