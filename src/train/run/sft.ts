import { TrainableModel } from "../../model/training/trainable-model.ts";
import type { SftConfig } from "../config/sft-config.ts";
import type { Metrics, TrainEvent } from "../events.ts";
import type { RunControl, RunEnvironment } from "./environment.ts";
import { evaluate, evaluationMetrics } from "./evaluate.ts";
import { exampleOrder, openExamples } from "./examples.ts";
import type { Example, ExampleSource } from "./examples.ts";
import { folderOf, freshModel } from "./model-files.ts";
import { packScored } from "./packs.ts";
import { openProblems } from "./problems.ts";
import { Sampler } from "./rollout.ts";
import { checkpointToResume, initialiseAdapters, openModel, optimizerStep, stopped, trainingSizes } from "./setup.ts";
import type { OpenedModel } from "./setup.ts";
import { checkpointFiles, restoreCheckpoint } from "./state.ts";

/** Updates of the whole run: `max_steps`, else what the epochs make. */
export function sftSteps(config: SftConfig, examples: number): number {
  return (
    config.max_steps ??
    Math.max(1, Math.ceil((config.num_train_epochs * examples) / config.per_device_train_batch_size))
  );
}

/**
 * Supervised fine-tuning (or pretraining from a fresh model) as an async iterator of events: a step is taken when the
 * next event is asked for, so that a caller pauses by not asking. Each yielded step is complete; leaving the loop
 * frees everything.
 * @throws R1Error E_OPTION, E_FORMAT, E_JSON for what the configuration names; everything that loading a model throws
 */
export async function* trainSft(
  environment: RunEnvironment,
  config: SftConfig,
  control: RunControl = {},
): AsyncGenerator<TrainEvent> {
  const folder = config.init
    ? folderOf("fresh model", freshModel(config.init, config.seed))
    : await environment.openFolder(config.model ?? "");
  const opened = await openModel(environment, folder, config.lora, config.weights);
  let run: SftRun | undefined;
  try {
    run = await SftRun.create(environment, config, opened, control);
    yield* run.events();
  } finally {
    run?.dispose();
    opened.model.dispose();
  }
}

class SftRun {
  readonly #environment: RunEnvironment;
  readonly #config: SftConfig;
  readonly #opened: OpenedModel;
  readonly #control: RunControl;
  readonly #trainable: TrainableModel;
  readonly #examples: ExampleSource;
  readonly #order: (step: number) => readonly number[];
  readonly #steps: number;
  /** Examples made before their step. */
  #ahead: { readonly step: number; readonly sequences: readonly Example[] } | undefined;
  #step = 0;
  #numTokens = 0;

  private constructor(
    environment: RunEnvironment,
    config: SftConfig,
    opened: OpenedModel,
    control: RunControl,
    trainable: TrainableModel,
    examples: ExampleSource,
  ) {
    this.#environment = environment;
    this.#config = config;
    this.#opened = opened;
    this.#control = control;
    this.#trainable = trainable;
    this.#examples = examples;
    this.#order = exampleOrder(examples.size, config.per_device_train_batch_size, config.seed);
    this.#steps = sftSteps(config, examples.size);
  }

  static async create(
    environment: RunEnvironment,
    config: SftConfig,
    opened: OpenedModel,
    control: RunControl,
  ): Promise<SftRun> {
    const { model, tokenizer, prompts } = opened;
    const examples = await openExamples(config, tokenizer, prompts, environment.readDataset);
    const trainable = await TrainableModel.create(model, {
      sizes: trainingSizes(model.spec, config.max_tokens_per_pack, config.gradient_checkpointing),
      ...(config.lora ? { lora: config.lora } : {}),
    });
    try {
      const run = new SftRun(environment, config, opened, control, trainable, examples);
      if (config.lora) initialiseAdapters(trainable, config.seed);
      if (control.resume) await run.#resume();
      return run;
    } catch (error) {
      trainable.dispose();
      throw error;
    }
  }

  async *events(): AsyncGenerator<TrainEvent> {
    const { eval_every, save_every } = this.#config;
    while (this.#step < this.#steps && !stopped(this.#control)) {
      const { metrics, skipped } = await this.#update();
      if (skipped) {
        yield {
          type: "warning",
          step: this.#step,
          code: "NON_FINITE",
          message: "the gradient held a value that is not finite; the update was left out",
        };
      }
      yield { type: "step", step: this.#step, metrics, completions: [] };
      const last = this.#step === this.#steps;
      if (eval_every > 0 && this.#samples && (last || this.#step % eval_every === 0)) {
        yield* this.#evaluation();
      }
      if (last || (save_every > 0 && this.#step % save_every === 0)) yield await this.#save();
    }
    const finished = this.#step >= this.#steps;
    if (!finished) yield await this.#save();
    yield { type: "done", step: this.#step, reason: finished ? "finished" : "stopped" };
  }

  dispose(): void {
    this.#trainable.dispose();
  }

  /** The examples of a step, from what was made ahead where that is the one. */
  #draw(step: number): readonly Example[] {
    if (this.#ahead?.step === step) return this.#ahead.sequences;
    return this.#order(step).map((index) => this.#examples.at(index));
  }

  async #update(): Promise<{ readonly metrics: Metrics; readonly skipped: boolean }> {
    const started = this.#environment.now();
    const { max_tokens_per_pack, padding } = this.#config;
    const sequences = this.#draw(this.#step);
    const padId = this.#opened.tokenizer.eosIds[0] ?? 0;
    const packed = packScored(sequences, max_tokens_per_pack, padding ? { padId } : undefined);
    let loss = 0;
    let entropy = 0;
    for (const { batch } of packed.packs) {
      const scores = this.#trainable.forward(batch);
      // While the GPU works, the next step's texts are written.
      if (this.#step + 1 < this.#steps) this.#ahead = { step: this.#step + 1, sequences: this.#draw(this.#step + 1) };
      const { logps, entropies } = await scores;
      for (let i = 0; i < logps.length; i++) {
        loss -= logps[i] ?? 0;
        entropy += entropies[i] ?? 0;
      }
      // The mean over all scored tokens of the step, whatever pack they are in.
      this.#trainable.backward(new Float32Array(logps.length).fill(-1 / packed.tokens));
    }
    const step = optimizerStep({ ...this.#config, max_steps: this.#steps }, this.#step);
    const { gradNorm, skipped } = await this.#trainable.step(step);
    this.#step++;
    this.#numTokens += sequences.reduce((sum, { ids }) => sum + ids.length, 0);
    return {
      skipped,
      metrics: {
        loss: loss / packed.tokens,
        grad_norm: gradNorm,
        learning_rate: step.learningRate,
        entropy: entropy / packed.tokens,
        num_tokens: this.#numTokens,
        packing_efficiency: packed.packing_efficiency,
        epoch: (this.#step * this.#config.per_device_train_batch_size) / this.#examples.size,
        step_time: (this.#environment.now() - started) / 1000,
      },
    };
  }

  /** Plain text has no problems to be sampled. */
  get #samples(): boolean {
    return this.#config.kind === "trace";
  }

  async *#evaluation(): AsyncGenerator<TrainEvent> {
    try {
      yield { type: "eval", step: this.#step, metrics: await this.#evaluate() };
    } catch (error) {
      // Stopped while it evaluated: the steps before it are saved all the same.
      if (!stopped(this.#control)) throw error;
    }
  }

  async #evaluate(): Promise<Metrics> {
    const { eval_prompts: prompts, eval_samples: samples, max_length, seed } = this.#config;
    const problems = await openProblems(this.#config, this.#environment.readDataset);
    const { model, tokenizer, prompts: writer } = this.#opened;
    const half = Math.floor(max_length / 2);
    const sizes = { sequences: 64, generations: samples, promptTokens: half, maxNewTokens: max_length - half };
    const sampler = await Sampler.create(model, tokenizer, writer, sizes, this.#trainable.adapter);
    try {
      const settings = { temperature: 1, topP: 1, topK: 0, maxNewTokens: max_length - half };
      const evaluation = await evaluate(sampler, problems, { prompts, samples, seed, settings }, this.#control.signal);
      return evaluationMetrics(evaluation);
    } finally {
      sampler.dispose();
    }
  }

  async #save(): Promise<TrainEvent> {
    const { lora, model } = this.#config;
    const state = { step: this.#step, appliedSteps: this.#trainable.appliedSteps, numTokens: this.#numTokens };
    const files = await checkpointFiles(this.#trainable, this.#opened.kept, state, lora, model ?? "");
    return { type: "saved", step: this.#step, path: await this.#environment.checkpoints.save(files) };
  }

  async #resume(): Promise<void> {
    const folder = await checkpointToResume(this.#environment, this.#control);
    const { step, numTokens } = await restoreCheckpoint(this.#trainable, folder);
    this.#step = step;
    this.#numTokens = numTokens;
  }
}
