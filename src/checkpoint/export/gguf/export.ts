import { R1Error, throwIfAborted } from "../../../errors.ts";
import type { Checkpoint } from "../../checkpoint.ts";
import { GgufCheckpoint } from "../../gguf/checkpoint.ts";
import { pairRows } from "../../gguf/rows.ts";
import { ROPE_FACTORS } from "../../gguf/model-config.ts";
import { ggmlBytes, GGML_TYPES } from "../../gguf/ggml-type.ts";
import { ggufName } from "../../gguf/tensor-names.ts";
import { ggufHeader, paddingAfter, tensorBytes } from "../../gguf/write.ts";
import type { WrittenTensor } from "../../gguf/write.ts";
import type { ExportFile } from "../file.ts";
import { floatSlabs, readFinite } from "../model.ts";
import type { ExportModel, ExportTensor } from "../model.ts";
import { modelMetadata } from "./metadata.ts";
import type { GgufSampling } from "./metadata.ts";
import { originalTokenizer } from "./original-tokenizer.ts";
import { encodeFloats } from "./quantize.ts";
import type { WrittenDtype } from "./quantize.ts";
import { tokenizerMetadata } from "./tokenizer.ts";
import type { GgufText } from "./tokenizer.ts";

/** Bytes that are copied at a time. */
const COPY_BYTES = 4 << 20;

export interface GgufOptions {
  /** Type of the matrices; vectors are f32. */
  readonly dtype: WrittenDtype;
  readonly text: GgufText;
  readonly sampling: GgufSampling;
}

interface PlannedTensor extends WrittenTensor {
  readonly dtype: WrittenDtype;
  /** Undefined for the rotary factors, which no checkpoint of Hugging Face's has. */
  readonly source: ExportTensor | undefined;
  /** Rows of a head whose order llama.cpp has otherwise. */
  readonly headRows: number | undefined;
}

/**
 * A model as one GGUF file that llama.cpp loads. What was a GGUF file keeps its tokenizer as it is.
 * @throws R1Error E_TOKENIZER for a tokenizer that GGUF has no name for
 */
export function ggufFiles(model: ExportModel, { dtype, text, sampling }: GgufOptions): ExportFile[] {
  const { checkpoint } = model;
  const original = checkpoint instanceof GgufCheckpoint ? originalTokenizer(checkpoint.entries) : undefined;
  const metadata = new Map([
    ...modelMetadata(model, dtype, sampling),
    ...(original ?? tokenizerMetadata(text, model.spec.vocabSize)),
  ]);
  const factors = ropeFactors(model);
  const tensors = [
    ...model.tensors.map((tensor) => planned(model, tensor, dtype)),
    ...(factors ? [factorTensor(factors)] : []),
  ];
  const head = ggufHeader(metadata, tensors);
  const size = tensors.reduce((sum, tensor) => {
    const bytes = tensorBytes(tensor);
    return sum + bytes + paddingAfter(bytes);
  }, head.length);
  return [
    {
      path: `${model.name}-${dtype}.gguf`,
      size,
      async *chunks(signal) {
        yield head;
        for (const tensor of tensors) {
          if (tensor.source) yield* encoded(model, tensor, tensor.source, signal);
          else if (factors) yield new Uint8Array(factors.buffer);
          yield new Uint8Array(paddingAfter(tensorBytes(tensor)));
        }
      },
    },
  ];
}

function planned({ spec, checkpoint }: ExportModel, source: ExportTensor, dtype: WrittenDtype): PlannedTensor {
  const { name, shape } = source;
  const isSame = checkpoint.tensors.get(name)?.dtype === dtype;
  const isPaired = spec.architecture === "LlamaForCausalLM" && /\.[qk]_proj\.weight$/.test(name);
  return {
    name: ggufName(name),
    // What is in the type already stays as it is.
    dtype: isSame ? dtype : dtypeFor(source, dtype, spec.tiedEmbeddings),
    shape,
    source,
    headRows: isPaired ? spec.headDim : undefined,
  };
}

/**
 * Vectors stay f32, as llama.cpp wants them; rows that do not divide into blocks are f16. The output projection takes
 * part in every logit: beside 4-bit matrices it has 8 bits, as llama.cpp's own files give it 6.
 */
function dtypeFor({ name, shape }: ExportTensor, dtype: WrittenDtype, tied: boolean): WrittenDtype {
  if (shape.length < 2) return "F32";
  if ((shape.at(-1) ?? 0) % GGML_TYPES[dtype].block !== 0) return "F16";
  const isOutput = name === (tied ? "model.embed_tokens.weight" : "lm_head.weight");
  return isOutput && dtype === "Q4_0" ? "Q8_0" : dtype;
}

/** By how much each rotary frequency is divided, where it follows from no key: Llama 3's scaling. */
function ropeFactors({ spec, frequencies }: ExportModel): Float32Array<ArrayBuffer> | undefined {
  if (spec.ropeScaling.type !== "llama3") return undefined;
  return Float32Array.from(
    frequencies,
    (frequency, pair) => spec.ropeTheta ** ((-2 * pair) / spec.headDim) / frequency,
  );
}

function factorTensor(factors: Float32Array): PlannedTensor {
  return { name: ROPE_FACTORS, dtype: "F32", shape: [factors.length], source: undefined, headRows: undefined };
}

async function* encoded(
  { checkpoint }: ExportModel,
  { name, dtype, headRows }: PlannedTensor,
  source: ExportTensor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const columns = source.shape.at(-1) ?? 1;
  if (checkpoint.tensors.get(source.name)?.dtype === dtype) {
    yield* copied(checkpoint, { name: source.name, rowBytes: ggmlBytes(dtype, columns), headRows }, signal);
    return;
  }
  for await (const slab of floatSlabs(checkpoint, source, columns * (headRows ?? 1), signal)) {
    const values = headRows === undefined ? slab : paired(slab, headRows, columns);
    const bytes = encodeFloats(dtype, values);
    if (!bytes) {
      throw new R1Error(
        "E_QUANTIZATION",
        `tensor ${name} holds values that ${dtype} cannot; export it as bf16 or f32`,
        {
          tensor: name,
        },
      );
    }
    yield bytes;
  }
}

/** A tensor's own bytes: no block is quantized twice. */
async function* copied(
  checkpoint: Checkpoint,
  {
    name,
    rowBytes,
    headRows,
  }: { readonly name: string; readonly rowBytes: number; readonly headRows: number | undefined },
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const total = checkpoint.tensors.get(name)?.bytes ?? 0;
  const unit = rowBytes * (headRows ?? 1);
  const step = Math.max(1, Math.floor(COPY_BYTES / unit)) * unit;
  for (let begin = 0; begin < total; begin += step) {
    throwIfAborted(signal);
    const bytes = await readFinite(checkpoint, name, begin, Math.min(total, begin + step), signal);
    yield headRows === undefined ? bytes : pairRows(bytes, headRows, rowBytes);
  }
}

function paired(values: Float32Array<ArrayBuffer>, headRows: number, columns: number): Float32Array<ArrayBuffer> {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return new Float32Array(pairRows(bytes, headRows, columns * 4).buffer);
}
