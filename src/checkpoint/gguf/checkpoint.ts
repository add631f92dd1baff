import { R1Error } from "../../errors.ts";
import { checkTensorRange } from "../checkpoint.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { quote } from "../quote.ts";
import { emptyMetadata } from "../safetensors/header.ts";
import type { CheckpointTensor } from "../tensor.ts";
import type { GgufFile, GgufTensor } from "./file.ts";
import { shown } from "./metadata.ts";
import type { GgufMetadata } from "./metadata.ts";
import { unpairRows } from "./rows.ts";
import { huggingFaceName } from "./tensor-names.ts";

/** Heads of the matrices whose rows the converter turned round, where it did. */
export interface PairedHeads {
  readonly queries: number;
  readonly keys: number;
}

interface Located {
  readonly file: GgufFile;
  readonly tensor: GgufTensor;
  /** Rows of a head whose order has to be turned back; undefined where it is Hugging Face's. */
  readonly headRows: number | undefined;
}

/** The tensors of GGUF files under Hugging Face's names and in its order of rows; their data in the files' own types. */
export class GgufCheckpoint implements Checkpoint {
  readonly format = "gguf";
  readonly metadata: Readonly<Record<string, string>>;
  /** The metadata as the file has them. */
  readonly entries: GgufMetadata;
  readonly tensors: ReadonlyMap<string, CheckpointTensor>;
  readonly #located: ReadonlyMap<string, Located>;

  /** @throws R1Error E_TENSOR_INFO for a name that two tensors have */
  constructor(files: readonly [GgufFile, ...GgufFile[]], paired: PairedHeads | undefined) {
    const metadata = emptyMetadata();
    for (const [key, value] of files[0].metadata) metadata[key] = shown(value);
    this.metadata = metadata;
    this.entries = files[0].metadata;
    const located = new Map<string, Located>();
    for (const file of files) {
      for (const tensor of file.tensors) {
        const name = huggingFaceName(tensor.name);
        if (located.has(name)) {
          throw new R1Error("E_TENSOR_INFO", `${file.source.name}: tensor ${quote(tensor.name)} is there twice`, {
            file: file.source.name,
            tensor: tensor.name,
          });
        }
        located.set(name, { file, tensor, headRows: headRows(name, tensor, paired) });
      }
    }
    this.#located = located;
    this.tensors = new Map(
      Array.from(
        located,
        ([
          name,
          {
            tensor: { dtype, shape, begin, end },
          },
        ]) => [name, { name, dtype, shape, bytes: end - begin }],
      ),
    );
  }

  async read(name: string, begin = 0, end?: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const found = this.#located.get(name);
    if (!found) {
      throw new R1Error("E_TENSOR_MISSING", `tensor ${quote(name)} is not in the checkpoint`, { tensor: name });
    }
    const { file, tensor, headRows: rows } = found;
    const bytes = tensor.end - tensor.begin;
    const stop = end ?? bytes;
    checkTensorRange(file.source.name, { name, bytes }, begin, stop);
    const start = file.dataStart + tensor.begin;
    if (rows === undefined) return file.source.read(start + begin, stop - begin, signal);
    // Whole heads are read, so that each row's place is in memory.
    const rowBytes = bytes / (tensor.shape[0] ?? 1);
    const headBytes = rows * rowBytes;
    const from = Math.floor(begin / headBytes) * headBytes;
    const to = Math.min(bytes, Math.ceil(stop / headBytes) * headBytes);
    const heads = unpairRows(await file.source.read(start + from, to - from, signal), rows, rowBytes);
    return from === begin && to === stop ? heads : heads.slice(begin - from, stop - from);
  }
}

function headRows(name: string, { shape }: GgufTensor, paired: PairedHeads | undefined): number | undefined {
  if (!paired) return undefined;
  const heads = /\.q_proj\.(weight|bias)$/.test(name)
    ? paired.queries
    : /\.k_proj\.(weight|bias)$/.test(name)
      ? paired.keys
      : undefined;
  const rows = (shape[0] ?? 0) / (heads ?? 1);
  // A matrix that does not divide so is refused for its shape, by what the metadata say.
  return heads !== undefined && rows > 0 && rows % 2 === 0 ? rows : undefined;
}
