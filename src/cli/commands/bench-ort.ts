import { onnxFiles } from "../../checkpoint/export/onnx/export.ts";
import { inMemory } from "../../checkpoint/export/in-memory.ts";
import { openExportModel } from "../../model/export-model.ts";
import type { LanguageModel, RowSampling } from "../../model/language-model.ts";
import { onnxGraphs } from "../../ort/onnx-files.ts";
import { loadOnnx } from "../../ort/load.ts";
import { openOrt } from "../../ort/runtime.ts";
import type { ModelPath } from "../model-path.ts";

export interface OrtSpeed {
  readonly batch: number;
  readonly prefill_tps: number;
  readonly decode_tps: number;
}

/** What is measured: prompts of `prompt` tokens, `steps` steps after `warmUp` others. */
export interface OrtBench {
  readonly batches: readonly number[];
  readonly prompt: number;
  readonly steps: number;
  readonly warmUp: number;
  readonly sampling: RowSampling;
}

/** The same model in ONNX Runtime's WebAssembly provider on one thread; sampling is ours, on the processor. */
export async function benchOrt({ folder, file }: ModelPath, bench: OrtBench): Promise<readonly OrtSpeed[]> {
  const runtime = await openOrt({ name: "wasm" });
  const onnx =
    (await onnxGraphs(folder)).size > 0
      ? folder
      : await inMemory(folder.name, onnxFiles(await openExportModel(folder, file)));
  const model = await loadOnnx(runtime, onnx);
  try {
    const results: OrtSpeed[] = [];
    for (const batch of bench.batches) {
      const length = bench.prompt + bench.warmUp + bench.steps + 1;
      const sizes = { maxSequences: batch, contextTokens: length, kvTokens: batch * length, prefillRows: 256 };
      const session = model.createSession({ ...sizes, kv: "f32" });
      results.push({ batch, ...(await measure(session, batch, bench)) });
    }
    return results;
  } finally {
    await model.dispose();
  }
}

async function measure(session: LanguageModel, batch: number, { prompt, steps, warmUp, sampling }: OrtBench) {
  const { vocabSize } = session.spec;
  const length = prompt + warmUp + steps + 1;
  const tokens = Array.from({ length: prompt }, (_, i) => (i * 7919) % vocabSize);
  const fill = async (): Promise<number> => {
    const root = session.open(length);
    const start = performance.now();
    await session.prefill([{ sequence: root, tokens }]);
    root.free();
    return performance.now() - start;
  };
  await fill();
  const prefillMs = await fill();
  // Sequences of one prompt run as one batch, as samples do.
  const root = session.open(prompt);
  await session.prefill([{ sequence: root, tokens }]);
  const sequences = Array.from({ length: batch }, () => session.fork(root, tokens, length));
  root.free();
  let last = sequences.map(() => 1);
  const decode = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const rows = sequences.map((sequence, s) => ({
        sequence,
        token: last[s] ?? 1,
        sampling: { ...sampling, stream: s },
      }));
      last = (await session.submitStep(rows)()).map(({ token }) => token);
    }
  };
  await decode(warmUp);
  const start = performance.now();
  await decode(steps);
  const decodeMs = performance.now() - start;
  for (const sequence of sequences) sequence.free();
  return { prefill_tps: (prompt * 1000) / prefillMs, decode_tps: (batch * steps * 1000) / decodeMs };
}
