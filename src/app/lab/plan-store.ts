import { create } from "zustand";
import type { EngineClient } from "../../engine/client.ts";
import type { ModelSource, TrainingPlan } from "../../engine/protocol.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import { toFailure } from "../failure.ts";
import type { Failure } from "../failure.ts";

/** What the planner needs of its surroundings. */
export interface PlanServices {
  readonly engine: Pick<EngineClient, "planTraining">;
  readonly sourceOf: (model: string) => Promise<ModelSource>;
}

interface PlanState {
  /** The starting model that the plan, or its failure, is about. */
  readonly model: string | undefined;
  /** Of the configuration that was asked about last; the one before stays until it is there. */
  readonly plan: TrainingPlan | undefined;
  readonly failure: Failure | undefined;
  readonly isPlanning: boolean;
  /** Plans what a run of `config` would take. A question that a later one has overtaken is dropped. */
  readonly ask: (config: GrpoConfig, services: PlanServices) => Promise<void>;
}

export const usePlan = create<PlanState>()((set, get) => {
  let asked = 0;

  return {
    model: undefined,
    plan: undefined,
    failure: undefined,
    isPlanning: false,
    ask: async (config, { engine, sourceOf }) => {
      const mine = ++asked;
      const { model } = config;
      set({ isPlanning: true, ...(get().model === model ? {} : { model, plan: undefined, failure: undefined }) });
      try {
        const models = { [model]: await sourceOf(model) };
        const plan = await engine.planTraining({ config, models });
        if (mine === asked) set({ plan, failure: undefined, isPlanning: false });
      } catch (error) {
        if (mine === asked) set({ plan: undefined, failure: toFailure(error), isPlanning: false });
      }
    },
  };
});
