import { TrainableModel } from "../../model/training/trainable-model.ts";
import type { SftConfig } from "../config/sft-config.ts";
import type { Metrics, TrainEvent } from "../events.ts";
import { parseTask } from "../tasks/tasks.ts";
import type { RunControl, RunEnvironment } from "./environment.ts";
import { evaluate, evaluationMetrics } from "./evaluate.ts";
import type { DataWarning } from "./data-warnings.ts";
import { isScored } from "./example.ts";
import type { Example } from "./example.ts";
import { exampleOrder, openExamples } from "./examples.ts";
import type { ExampleSource } from "./examples.ts";
import { folderOf, freshModel } from "./model-files.ts";
import { finiteMetrics, SkippedUpdates, UPDATE_SKIPPED } from "./non-finite.ts";
import { packScored } from "./packs.ts";
import { checkTaskPrompts } from "./prompt-checks.ts";
import { openProblems, taskProblems } from "./problems.ts";
import type { PromptWriter } from "./prompts.ts";
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

/** Of `max_length`, an evaluation leaves one half for the problem and one for the answer. */
function promptTokens({ max_length }: SftConfig): number {
  return Math.floor(max_length / 2);
}

/** @throws R1Error E_OPTION where the problems of an evaluation would not fit, which it would end at */
function checkEvaluation(config: SftConfig, prompts: PromptWriter): void {
  const { task, level, seed, eval_every, eval_prompts } = config;
  if (task === null || eval_every === 0 || !isEvaluated(config)) return;
  const tokens = promptTokens(config);
  const says = `an evaluation with half of max_length ${config.max_length}`;
  const problems = taskProblems(parseTask(task), level, seed);
  const heldout = Array.from({ length: Math.min(eval_prompts, 64) }, (_, i) => problems.heldout(i));
  checkTaskPrompts(task, heldout, prompts, { tokens, says, field: "max_length" });
}

/** Plain text has no problems to be sampled. */
function isEvaluated({ kind }: SftConfig): boolean {
  return kind === "trace";
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
  readonly #skipped = new SkippedUpdates();
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
    const examples = await openExamples(config, tokenizer, prompts, model.spec.maxPositions, environment.readDataset);
    checkEvaluation(config, prompts);
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
    // A resumed run's record has them.
    if (this.#step === 0) yield* this.#warnings(this.#examples.warnings);
    while (this.#step < this.#steps && !stopped(this.#control)) {
      const { metrics, warnings } = await this.#update();
      yield* this.#warnings(warnings);
      yield { type: "step", step: this.#step, metrics, completions: [] };
      this.#skipped.check(this.#step);
      const last = this.#step === this.#steps;
      if (eval_every > 0 && isEvaluated(this.#config) && (last || this.#step % eval_every === 0)) {
        yield* this.#evaluation();
      }
      if (last || (save_every > 0 && this.#step % save_every === 0)) yield await this.#save();
    }
    const finished = this.#step >= this.#steps;
    if (!finished) yield await this.#save();
    yield { type: "done", step: this.#step, reason: finished ? "finished" : "stopped" };
  }

  *#warnings(warnings: readonly DataWarning[]): Generator<TrainEvent> {
    for (const warning of warnings) yield { type: "warning", step: this.#step, ...warning };
  }

  dispose(): void {
    this.#trainable.dispose();
  }

  /** The examples of a step, from what was made ahead where that is the one. */
  #draw(step: number): readonly Example[] {
    if (this.#ahead?.step === step) return this.#ahead.sequences;
    return this.#order(step).map((index) => this.#examples.at(index));
  }

  async #update(): Promise<{ readonly metrics: Metrics; readonly warnings: readonly DataWarning[] }> {
    const started = this.#environment.now();
    const { max_tokens_per_pack, padding } = this.#config;
    const sequences = this.#draw(this.#step).filter(isScored);
    if (sequences.length === 0) return this.#emptyUpdate();
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
    this.#skipped.count(skipped);
    const { metrics, warnings } = finiteMetrics({
      loss: loss / packed.tokens,
      grad_norm: gradNorm,
      learning_rate: step.learningRate,
      entropy: entropy / packed.tokens,
      num_tokens: this.#numTokens,
      packing_efficiency: packed.packing_efficiency,
      epoch: this.#epoch,
      step_time: (this.#environment.now() - started) / 1000,
    });
    return { metrics, warnings: [...(skipped ? [UPDATE_SKIPPED] : []), ...warnings] };
  }

  /** A step whose examples are all without a scored token: nothing is changed, and it says so. */
  #emptyUpdate(): { readonly metrics: Metrics; readonly warnings: readonly DataWarning[] } {
    this.#step++;
    const { per_device_train_batch_size: count, max_length } = this.#config;
    const message = `none of the ${count} examples has a token to be scored, since their prompts fill max_length ${max_length}; the update was left out`;
    return {
      metrics: { num_tokens: this.#numTokens, epoch: this.#epoch },
      warnings: [{ code: "NOTHING_SCORED", message }],
    };
  }

  get #epoch(): number {
    return (this.#step * this.#config.per_device_train_batch_size) / this.#examples.size;
  }

  async *#evaluation(): AsyncGenerator<TrainEvent> {
    try {
      const { metrics, warnings } = finiteMetrics(await this.#evaluate());
      yield* this.#warnings(warnings);
      yield { type: "eval", step: this.#step, metrics };
    } catch (error) {
      // Stopped while it evaluated: the steps before it are saved all the same.
      if (!stopped(this.#control)) throw error;
    }
  }

  async #evaluate(): Promise<Metrics> {
    const { eval_prompts: prompts, eval_samples: samples, max_length, seed } = this.#config;
    const problems = await openProblems(this.#config, this.#environment.readDataset);
    const { model, tokenizer, prompts: writer } = this.#opened;
    const half = promptTokens(this.#config);
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
