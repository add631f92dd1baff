import { expect, it } from "vitest";
import type { EngineClient } from "../../engine/client.ts";
import type { GenerateEvent, LoadedModel, LoadRequest } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import { splitOf } from "../../train/tasks/task.ts";
import { heldOutProblems, parseTask } from "../../train/tasks/tasks.ts";
import { accuracyOf, PROBLEMS, useCompare } from "./compare-store.ts";

const config = parseGrpoConfig({ model: "m", task: "addition", level: 0, seed: 3 });
const problems = heldOutProblems(parseTask("addition"), 0, PROBLEMS, 3);
const run = {
  id: "a",
  config,
  before: { kind: "url", baseUrl: "https://page/before/" },
  after: { kind: "files", files: [] },
} as const;

/** Answers rightly once it has been trained, but for the first sample. */
function fakeEngine(): Pick<EngineClient, "load" | "generate"> {
  let isTrained = false;
  return {
    load: async ({ source }: LoadRequest) => {
      isTrained = source.kind === "files";
      return {} as LoadedModel;
    },
    async *generate({ prompt, options }): AsyncGenerator<GenerateEvent> {
      const asked = "messages" in prompt ? prompt.messages[0]?.content : "";
      const solution = String(problems.find((problem) => problem.prompt === asked)?.columns["solution"]);
      for (let sample = 0; sample < (options.n ?? 0); sample++) {
        const answer = isTrained && sample > 0 ? solution : "x";
        const text = `<think>\n t</think><answer> ${answer}</answer>`;
        const completion = {
          ids: [1, 2],
          text,
          think: "t",
          answer,
          logprobs: [],
          entropies: [],
          finishReason: "stop",
        } as const;
        yield { type: "finished", prompt: 0, sample, completion };
      }
    },
  };
}

it("asks both models the same held-out problems and judges their answers", async () => {
  await useCompare.getState().compare(fakeEngine(), run);
  const { results, asking, failure, runId } = useCompare.getState();
  expect({ asking, failure, runId }).toEqual({ asking: undefined, failure: undefined, runId: "a" });
  expect(results.map(({ prompt }) => prompt)).toEqual(problems.map(({ prompt }) => prompt));
  for (const { key } of problems) expect(splitOf(key)).toBe("heldout");
  expect(accuracyOf(results, "before")).toBe(0);
  expect(accuracyOf(results, "after")).toBe(0.75);
  expect(results[0]?.after.map(({ isRight }) => isRight)).toEqual([false, true, true, true]);
});

it("keeps what there is when the engine fails", async () => {
  const engine = fakeEngine();
  await useCompare.getState().compare(
    {
      ...engine,
      load: async (request) => {
        if (request.source.kind === "files") throw new R1Error("E_DEVICE_LOST", "gone");
        return engine.load(request);
      },
    },
    run,
  );
  const { results, failure } = useCompare.getState();
  expect(failure?.code).toBe("E_DEVICE_LOST");
  expect(accuracyOf(results, "before")).toBe(0);
  expect(accuracyOf(results, "after")).toBeUndefined();
});
