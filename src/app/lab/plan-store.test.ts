import { expect, it } from "vitest";
import type { TrainingPlan, TrainingPlanCall } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { usePlan } from "./plan-store.ts";
import type { PlanServices } from "./plan-store.ts";

const plan = (seconds: number): TrainingPlan => ({
  format: "q4",
  isQuantized: false,
  parameters: 1,
  vocabSize: 1,
  verdict: {
    fits: true,
    plan: {
      weights: 1,
      reference: 0,
      parameters: 1,
      kvCache: 1,
      activations: 1,
      workspace: 1,
      staging: 0,
      total: 5,
      peak: 5,
    },
  },
  secondsPerStep: seconds,
});

/** An engine whose answers the test gives, one for each question in turn. */
function setUp() {
  const asked: { call: TrainingPlanCall; answer: (result: TrainingPlan | Error) => void }[] = [];
  const services: PlanServices = {
    engine: {
      planTraining: (call) =>
        new Promise((resolve, reject) => {
          asked.push({ call, answer: (result) => (result instanceof Error ? reject(result) : resolve(result)) });
        }),
    },
    sourceOf: (model) =>
      model === "runs/gone"
        ? Promise.reject(new R1Error("E_FILE_MISSING", "gone"))
        : Promise.resolve({ kind: "stored", id: model }),
  };
  const ask = (model: string): Promise<void> =>
    usePlan.getState().ask(parseGrpoConfig({ model, task: "countdown" }), services);
  return { asked, ask, at: () => usePlan.getState() };
}

it("asks with the model's place, and keeps the newest answer", async () => {
  const { asked, ask, at } = setUp();
  const first = ask("a");
  await expect.poll(() => asked.length).toBe(1);
  expect(asked[0]?.call).toMatchObject({ models: { a: { kind: "stored", id: "a" } } });
  const second = ask("a");
  await expect.poll(() => asked.length).toBe(2);
  asked[1]?.answer(plan(2));
  await second;
  asked[0]?.answer(plan(1));
  await first;
  expect(at()).toMatchObject({ model: "a", plan: { secondsPerStep: 2 }, isPlanning: false, failure: undefined });
});

it("shows nothing of another model's plan, and why there is none", async () => {
  const { asked, ask, at } = setUp();
  const other = ask("b");
  expect(at()).toMatchObject({ model: "b", plan: undefined, isPlanning: true });
  await expect.poll(() => asked.length).toBe(1);
  asked[0]?.answer(new R1Error("E_LIMIT", "too large"));
  await other;
  expect(at()).toMatchObject({ plan: undefined, isPlanning: false, failure: { code: "E_LIMIT" } });
  await ask("runs/gone");
  expect(at().failure).toMatchObject({ code: "E_FILE_MISSING" });
});
