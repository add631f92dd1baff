import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DATA, hasData } from "../testing-data.ts";
import { LR_SCHEDULER_TYPES, learningRateAt, type LrSchedulerType } from "./schedule.ts";

const rates = (lr_scheduler_type: LrSchedulerType, steps: readonly number[], change = {}) => {
  const options = { learning_rate: 10, lr_scheduler_type, warmup_steps: 2, max_steps: 10, ...change };
  return steps.map((step) => Number(learningRateAt(step, options).toFixed(4)));
};

describe("the schedules of transformers", () => {
  // `scheds` of tests/optimization/test_optimization.py there: learning rate 10, 2 warm-up steps of 10.
  const published: Readonly<Partial<Record<LrSchedulerType, readonly number[]>>> = {
    constant: [10, 10, 10, 10, 10, 10, 10, 10, 10, 10],
    linear: [0, 5, 10, 8.75, 7.5, 6.25, 5, 3.75, 2.5, 1.25],
    cosine: [0, 5, 10, 9.6194, 8.5355, 6.9134, 5, 3.0866, 1.4645, 0.3806],
  };
  for (const [type, expected] of Object.entries(published) as [LrSchedulerType, readonly number[]][]) {
    test(type, () => expect(rates(type, [...expected.keys()])).toEqual(expected));
  }

  test("constant_with_warmup", () => {
    const found = rates("constant_with_warmup", [0, 1, 2, 3, 4, 5, 6], { warmup_steps: 4 });
    expect(found).toEqual([0, 2.5, 5, 7.5, 10, 10, 10]);
  });

  test("cosine_with_restarts, of one cycle, ends at 0 and stays there", () => {
    expect(rates("cosine_with_restarts", [2, 6, 10, 12])).toEqual([10, 5, 0, 0]);
  });

  test("polynomial ends just above 0", () => {
    expect(rates("polynomial", [0, 1, 2, 6])).toEqual([0, 5, 10, 5]);
    const options = { learning_rate: 10, lr_scheduler_type: "polynomial", warmup_steps: 2, max_steps: 10 } as const;
    expect(learningRateAt(10, options)).toBeCloseTo(1e-7, 12);
    expect(learningRateAt(99, options)).toBeCloseTo(1e-7, 12);
  });

  test("inverse_sqrt", () => {
    expect(rates("inverse_sqrt", [0, 1, 2, 3, 8])).toEqual([0, 5, 10, 8.165, 5]);
    expect(rates("inverse_sqrt", [0, 30_000], { warmup_steps: 0 })).toEqual([10, 5]);
  });

  test("every one of them is listed and has a finite rate of at most the given one, past the end too", () => {
    for (const type of LR_SCHEDULER_TYPES) {
      for (const rate of rates(type, [0, 1, 5, 9, 10, 11])) {
        expect(rate).toBeGreaterThanOrEqual(0);
        expect(rate).toBeLessThanOrEqual(10);
      }
      expect(Number.isFinite(rates(type, [0], { warmup_steps: 0, max_steps: 0 })[0])).toBe(true);
    }
  });
});

const LOG = "grpo/trl-trainer_state.200steps.json";

test.runIf(hasData(LOG))("a real TRL log of 200 steps", () => {
  const { log_history } = JSON.parse(readFileSync(join(DATA, LOG), "utf8")) as {
    readonly log_history: readonly { readonly step: number; readonly learning_rate: number }[];
  };
  const options = { learning_rate: 5e-5, lr_scheduler_type: "linear", warmup_steps: 20, max_steps: 200 } as const;
  for (const { step, learning_rate } of log_history) {
    expect(learningRateAt(step - 1, options)).toBeCloseTo(learning_rate, 16);
  }
});
