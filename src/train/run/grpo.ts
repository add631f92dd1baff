import { isR1Error, R1Error } from "../../errors.ts";
import { loadModel } from "../../model/load.ts";
import type { LanguageModelWeights } from "../../model/load.ts";
import type { ModelSpec } from "../../model/spec.ts";
import { TrainableModel } from "../../model/training/trainable-model.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import type { TrainEvent, TrainWarningEvent } from "../events.ts";
import { groupAdvantages } from "../grpo/advantages.ts";
import type { RunControl, RunEnvironment } from "./environment.ts";
import { PURPOSE } from "./environment.ts";
import { evaluate, evaluationMetrics } from "./evaluate.ts";
import { scoreRewards } from "./reward-batch.ts";
import type { DataWarning } from "./data-warnings.ts";
import { completionRecords, grpoMetrics, stepWarnings } from "./grpo-report.ts";
import { GrpoUpdate } from "./grpo-update.ts";
import { openProblems } from "./problems.ts";
import { finiteMetrics, SkippedUpdates } from "./non-finite.ts";
import type { ProblemSource, RunProblem } from "./problems.ts";
import { checkPrompts, checkTaskPrompts, promptLimit } from "./prompt-checks.ts";
import type { PromptWriter } from "./prompts.ts";
import { checkRewards } from "./reward-checks.ts";
import { Sampler } from "./rollout.ts";
import type { SamplingSettings } from "./rollout.ts";
import { grpoSizes } from "./grpo-plan.ts";
import { checkpointToResume, initialiseAdapters, openModel, stopped } from "./setup.ts";
import type { OpenedModel } from "./setup.ts";
import { checkpointFiles, restoreCheckpoint } from "./state.ts";

/**
 * GRPO (Shao et al. 2024, DeepSeek-AI 2025) as an async iterator of events: a step is taken when the next event is asked
 * for, so that a caller pauses by not asking. Each yielded step is complete; leaving the loop frees everything.
 * @throws R1Error E_OPTION for an unknown task, reward or level; E_FORMAT, E_JSON for a dataset; everything that loading
 *   a model throws
 */
export async function* trainGrpo(
  environment: RunEnvironment,
  config: GrpoConfig,
  control: RunControl = {},
): AsyncGenerator<TrainEvent> {
  const folder = await environment.openFolder(config.model);
  const opened = await openModel(environment, folder, config.lora, config.weights);
  let second: LanguageModelWeights | undefined;
  let run: GrpoRun | undefined;
  try {
    // Under an adapter the reference policy is the same weights without it.
    if (config.beta !== 0 && !config.lora) {
      second = await loadModel(environment.context, folder, { format: "f32" });
    }
    run = await GrpoRun.create(environment, config, opened, second, control);
    yield* run.events();
  } finally {
    run?.dispose();
    second?.dispose();
    opened.model.dispose();
  }
}

/** A step that failed on its prompts has changed nothing: the steps before it are worth a checkpoint. */
function leavesWeights(error: unknown): boolean {
  return isR1Error(error) && (error.code === "E_PROMPT_TOO_LONG" || error.code === "E_OPTION");
}

interface CheckedData {
  readonly problems: ProblemSource;
  readonly warnings: readonly DataWarning[];
}

/** Everything that can be known of a run's data before its first step. */
async function checkData(
  config: GrpoConfig,
  source: ProblemSource,
  prompts: PromptWriter,
  { maxPositions }: ModelSpec,
): Promise<CheckedData> {
  if (config.task !== null) {
    // A task's completions are seldom as long as they may be: a pack that could not hold those is let pass.
    const limit = promptLimit(config, maxPositions, Infinity);
    checkTaskPrompts(config.task, firstPrompts(config, source), prompts, limit);
  }
  const limit = promptLimit(config, maxPositions, config.max_tokens_per_pack);
  const { problems, warnings } = await checkPrompts(source, prompts, limit, config);
  return { problems, warnings: [...warnings, ...checkRewards(config, problems)] };
}

function* firstPrompts(
  { max_steps, per_step_prompts, eval_every, eval_prompts }: GrpoConfig,
  source: ProblemSource,
): Generator<RunProblem | undefined> {
  const held = eval_every > 0 ? Math.min(eval_prompts, 64) : 0;
  for (let i = 0; i < held; i++) yield source.heldout(i);
  for (let step = 0; step < max_steps; step++) {
    for (let i = 0; i < per_step_prompts; i++) yield source.training(step, i, per_step_prompts);
  }
}

class GrpoRun {
  readonly #environment: RunEnvironment;
  readonly #config: GrpoConfig;
  readonly #opened: OpenedModel;
  readonly #control: RunControl;
  readonly #trainable: TrainableModel;
  readonly #sampler: Sampler;
  readonly #problems: ProblemSource;
  readonly #dataWarnings: readonly DataWarning[];
  readonly #settings: SamplingSettings;
  readonly #skipped = new SkippedUpdates();
  #step = 0;
  /** Of the last checkpoint. */
  #savedStep = 0;
  #numTokens = 0;

  private constructor(
    environment: RunEnvironment,
    config: GrpoConfig,
    opened: OpenedModel,
    control: RunControl,
    parts: { readonly trainable: TrainableModel; readonly sampler: Sampler } & CheckedData,
  ) {
    this.#environment = environment;
    this.#config = config;
    this.#opened = opened;
    this.#control = control;
    this.#trainable = parts.trainable;
    this.#sampler = parts.sampler;
    this.#problems = parts.problems;
    this.#dataWarnings = parts.warnings;
    this.#settings = {
      temperature: config.temperature,
      topP: config.top_p,
      topK: config.top_k,
      maxNewTokens: config.max_completion_length,
    };
  }

  static async create(
    environment: RunEnvironment,
    config: GrpoConfig,
    opened: OpenedModel,
    second: LanguageModelWeights | undefined,
    control: RunControl,
  ): Promise<GrpoRun> {
    const { model, tokenizer, prompts } = opened;
    const source = await openProblems(config, environment.readDataset);
    const room = model.spec.maxPositions - config.max_completion_length;
    if (room < 1) {
      throw new R1Error(
        "E_OPTION",
        `max_completion_length is ${config.max_completion_length}; the model has ${model.spec.maxPositions} positions`,
      );
    }
    const reference = config.beta === 0 ? undefined : config.lora ? ("adapter-off" as const) : second;
    const sizes = grpoSizes(config, model.spec);
    const data = await checkData(config, source, prompts, model.spec);
    const trainable = await TrainableModel.create(model, {
      sizes: sizes.training,
      temperature: config.temperature,
      ...(config.lora ? { lora: config.lora } : {}),
      ...(reference ? { reference } : {}),
    });
    let sampler: Sampler | undefined;
    try {
      sampler = await Sampler.create(model, tokenizer, prompts, sizes.sampler, trainable.adapter);
      const run = new GrpoRun(environment, config, opened, control, { trainable, sampler, ...data });
      if (config.lora) initialiseAdapters(trainable, config.seed);
      if (control.resume) await run.#resume();
      return run;
    } catch (error) {
      sampler?.dispose();
      trainable.dispose();
      throw error;
    }
  }

  async *events(): AsyncGenerator<TrainEvent> {
    const { max_steps, eval_every, save_every } = this.#config;
    // A resumed run's record has them.
    if (this.#step === 0) for (const warning of this.#dataWarnings) yield this.#warning(warning);
    if (eval_every > 0 && this.#step === 0) yield* this.#evaluate();
    while (this.#step < max_steps && !stopped(this.#control)) {
      let events: readonly TrainEvent[] = [];
      try {
        events = await this.#update();
      } catch (error) {
        // Stopped within a rollout: the step has not happened.
        if (!stopped(this.#control)) {
          if (this.#step > this.#savedStep && leavesWeights(error)) yield await this.#save();
          throw error;
        }
      }
      yield* events;
      if (events.length === 0) break;
      this.#skipped.check(this.#step);
      const last = this.#step === max_steps;
      if (eval_every > 0 && (last || this.#step % eval_every === 0)) yield* this.#evaluate();
      if (last || (save_every > 0 && this.#step % save_every === 0)) yield await this.#save();
    }
    const finished = this.#step >= max_steps;
    if (!finished) yield await this.#save();
    yield { type: "done", step: this.#step, reason: finished ? "finished" : "stopped" };
  }

  dispose(): void {
    this.#sampler.dispose();
    this.#trainable.dispose();
  }

  /** One step: roll out, reward, compare within groups, update. */
  async #update(): Promise<TrainEvent[]> {
    const config = this.#config;
    const started = this.#environment.now();
    const step = this.#step;
    const problems = Array.from({ length: config.per_step_prompts }, (_, i) =>
      this.#problems.training(step, i, config.per_step_prompts),
    );
    const rollouts = await this.#sampler.sample(
      problems.map(({ input }) => input),
      config.num_generations,
      this.#settings,
      { seed: config.seed, path: [PURPOSE.rollout, step] },
      this.#control.signal,
    );
    const rolledOut = this.#environment.now();
    const rewards = scoreRewards(config, problems, rollouts);
    const advantages = groupAdvantages(rewards.values, config);
    const update = await GrpoUpdate.run(this.#trainable, config, rollouts, advantages.advantages, step);
    this.#step++;
    this.#numTokens += rollouts.reduce((sum, { promptIds, ids }) => sum + promptIds.length + ids.length, 0);
    if (config.sync_ref_model && this.#step % config.ref_model_sync_steps === 0) this.#trainable.syncReference();
    const finishedAt = this.#environment.now();
    this.#skipped.count(update.skipped === config.num_iterations);
    const { metrics, warnings } = finiteMetrics(
      grpoMetrics(config, rollouts, advantages, update, {
        numTokens: this.#numTokens,
        stepTime: (finishedAt - started) / 1000,
        rolloutTime: (rolledOut - started) / 1000,
        updateTime: (finishedAt - rolledOut) / 1000,
        ...(this.#problems.size === undefined
          ? {}
          : { epoch: (this.#step * config.per_step_prompts) / this.#problems.size }),
      }),
    );
    const completions = config.log_completions
      ? completionRecords(config, this.#step, problems, rollouts, rewards, advantages, update)
      : [];
    const said = [...stepWarnings(config, problems, rollouts, rewards, advantages, update), ...warnings];
    return [...said.map((one) => this.#warning(one)), { type: "step", step: this.#step, metrics, completions }];
  }

  #warning(warning: DataWarning): TrainWarningEvent {
    return { type: "warning", step: this.#step, ...warning };
  }

  async *#evaluate(): AsyncGenerator<TrainEvent> {
    const { eval_prompts, eval_samples, seed } = this.#config;
    const options = { prompts: eval_prompts, samples: eval_samples, seed, settings: this.#settings };
    try {
      const evaluation = await evaluate(this.#sampler, this.#problems, options, this.#control.signal);
      if (evaluation.n === 0) return;
      const { metrics, warnings } = finiteMetrics(evaluationMetrics(evaluation));
      for (const warning of warnings) yield this.#warning(warning);
      yield { type: "eval", step: this.#step, metrics };
    } catch (error) {
      if (!stopped(this.#control)) throw error;
    }
  }

  async #save(): Promise<TrainEvent> {
    const { lora, model } = this.#config;
    const state = { step: this.#step, appliedSteps: this.#trainable.appliedSteps, numTokens: this.#numTokens };
    const files = await checkpointFiles(this.#trainable, this.#opened.kept, state, lora, model);
    this.#savedStep = this.#step;
    return { type: "saved", step: this.#step, path: await this.#environment.checkpoints.save(files) };
  }

  async #resume(): Promise<void> {
    const folder = await checkpointToResume(this.#environment, this.#control);
    const { step, numTokens } = await restoreCheckpoint(this.#trainable, folder);
    this.#step = step;
    this.#savedStep = step;
    this.#numTokens = numTokens;
  }
}
