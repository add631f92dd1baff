import { Session } from "../../model/session.ts";
import type { KvChoice } from "../../model/kv-format.ts";
import type { KvFormat } from "../../model/session-buffers.ts";
import type { RowSampling } from "../../model/language-model.ts";
import { UsageError } from "../args.ts";
import type { Command } from "../command.ts";
import { KV_OPTION, KV_USAGE, kvFromArgs, loadFromArgs, MODEL_OPTIONS, withKv } from "../engine.ts";
import { benchOrt } from "./bench-ort.ts";
import { benchTrain } from "./bench-train.ts";
import type { LoadedPath } from "../engine.ts";

const SAMPLING: RowSampling = { temperature: 1, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 0, stream: 0 };
const WARM_UP_STEPS = 3;

interface BatchResult {
  readonly batch: number;
  /** Element type of the cache. */
  readonly kv: KvFormat;
  readonly prefill_tps: number | null;
  readonly decode_tps: number;
  readonly dispatches_per_token: number;
  readonly submits_per_token: number;
  readonly readback_bytes_per_token: number;
  readonly gpu_bytes: number;
}

export const benchCommand: Command = {
  name: "bench",
  usage: `--model <path> [--batch 1,8] [--prompt 128] [--new 64] [--no-prefill] [--weights f32|f16|bf16|q8|q4] ${KV_USAGE} [--train] [--ort]`,
  summary: "prefill, decode and training speed, and what a decode step costs",
  options: {
    ...MODEL_OPTIONS,
    ...KV_OPTION,
    batch: { type: "string" },
    prompt: { type: "string" },
    new: { type: "string" },
    train: { type: "boolean" },
    ort: { type: "boolean" },
    "no-prefill": { type: "boolean" },
  },
  async run(args) {
    const batches = args.ids("batch") ?? [1];
    const prompt = args.number("prompt") ?? 128;
    const steps = args.number("new") ?? 64;
    if (batches.length === 0 || batches.some((b) => b < 1 || b > 256))
      throw new UsageError("--batch: expected sizes from 1 to 256");
    if (prompt < 2 || steps < 1 || !Number.isInteger(prompt) || !Number.isInteger(steps)) {
      throw new UsageError("--prompt and --new: expected whole numbers, at least 2 and 1");
    }
    const how = { prompt, steps, withPrefill: !args.flag("no-prefill"), kv: kvFromArgs(args) };
    const loaded = await loadFromArgs(args);
    const results: BatchResult[] = [];
    for (const batch of batches) results.push(await measure(loaded, batch, how));
    const largest = Math.max(...batches);
    const training = args.flag("train") ? await benchTrain(loaded, largest, prompt, steps) : { train_tps: null };
    const { context } = loaded;
    const ort = args.flag("ort")
      ? await benchOrt(loaded, { batches, prompt, steps, warmUp: WARM_UP_STEPS, sampling: SAMPLING })
      : undefined;
    const first = results[0];
    const { batch: _, ...headline } = first ?? { batch: 0 };
    const device = context.adapter.description || `${context.adapter.vendor} ${context.adapter.architecture}`;
    const features = (["f16", "subgroups", "timestamps"] as const).filter((name) => context.features[name]);
    return {
      json: {
        device,
        features,
        ...headline,
        ...training,
        prompt,
        new: steps,
        batches: results,
        ...(ort ? { ort } : {}),
      },
      text: [
        `${device} (${features.join(", ") || "no optional features"})`,
        ...results.map(
          (r) =>
            `batch ${r.batch}, ${r.kv} cache: ${r.prefill_tps === null ? "" : `prefill ${r.prefill_tps.toFixed(1)} tok/s, `}decode ${r.decode_tps.toFixed(1)} tok/s, per step and sequence ${r.readback_bytes_per_token.toFixed(0)} bytes read, ${r.dispatches_per_token.toFixed(1)} dispatches, ${(r.gpu_bytes / 2 ** 20).toFixed(1)} MiB`,
        ),
        ...("train_mode" in training
          ? [
              `training (${training.train_mode}): ${training.train_tps.toFixed(1)} tok/s on ${training.train_tokens} packed tokens, ${training.submits_per_update.toFixed(0)} submissions and ${training.dispatches_per_update.toFixed(0)} dispatches per update`,
            ]
          : []),
        ...(ort ?? []).map(
          (r) =>
            `ONNX Runtime (WebAssembly), batch ${r.batch}: prefill ${r.prefill_tps.toFixed(1)} tok/s, decode ${r.decode_tps.toFixed(1)} tok/s`,
        ),
      ].join("\n"),
    };
  },
};

interface Measurement {
  /** Tokens in the cache when decode begins. */
  readonly prompt: number;
  readonly steps: number;
  readonly withPrefill: boolean;
  readonly kv: KvChoice;
}

async function measure(
  loaded: LoadedPath,
  batch: number,
  { prompt, steps, withPrefill, kv }: Measurement,
): Promise<BatchResult> {
  const { model, context } = loaded;
  const length = prompt + WARM_UP_STEPS + steps + 1;
  const sizes = withKv(loaded, kv, {
    maxSequences: batch,
    contextTokens: length,
    kvTokens: batch * length,
    prefillRows: 256,
  });
  const session = await Session.create(model, sizes);
  try {
    const sequences = Array.from({ length: batch }, () => session.open(length));
    const tokens = (salt: number): number[] =>
      Array.from({ length: prompt }, (_, i) => (i * 7919 + salt * 104_729) % model.spec.vocabSize);
    const fill = async (): Promise<number> => {
      const start = performance.now();
      await session.prefill(sequences.map((sequence, i) => ({ sequence, tokens: tokens(i) })));
      return performance.now() - start;
    };
    const prefill = async (): Promise<number> => {
      // The first pass pays for lazy work in the driver.
      await fill();
      for (const sequence of sequences) sequence.truncate(0);
      return fill();
    };
    // Decode takes as long whatever the cache holds: a long context need not be computed to measure it.
    if (!withPrefill) for (const [i, sequence] of sequences.entries()) sequence.tokens.push(...tokens(i));
    const prefillMs = withPrefill ? await prefill() : undefined;
    const decode = async (count: number): Promise<void> => {
      let flight: (() => Promise<unknown>) | undefined;
      for (let i = 0; i < count; i++) {
        const next = session.submitStep(
          sequences.map((sequence, s) => ({
            sequence,
            ...(i === 0 ? { token: 1 } : {}),
            sampling: { ...SAMPLING, stream: s },
          })),
        );
        await flight?.();
        flight = next;
      }
      await flight?.();
    };
    await decode(WARM_UP_STEPS);
    const before = { ...context.counters };
    const start = performance.now();
    await decode(steps);
    const decodeMs = performance.now() - start;
    const per = (name: keyof typeof before, over: number): number => (context.counters[name] - before[name]) / over;
    return {
      batch,
      kv: sizes.kv,
      prefill_tps: prefillMs === undefined ? null : (batch * prompt * 1000) / prefillMs,
      decode_tps: (batch * steps * 1000) / decodeMs,
      dispatches_per_token: per("dispatches", steps),
      submits_per_token: per("submits", steps),
      readback_bytes_per_token: per("bytesRead", steps * batch),
      gpu_bytes: context.arena.liveBytes,
    };
  } finally {
    session.dispose();
  }
}
