import { create } from "zustand";
import type { EngineClient } from "../../engine/client.ts";
import type { ModelSource } from "../../engine/protocol.ts";
import { isR1Error } from "../../errors.ts";
import { heldOutProblems, parseTask } from "../../train/tasks/tasks.ts";
import type { FrozenFormat } from "../../train/config/shared.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import { promptOf } from "../../train/tasks/task.ts";
import type { Problem } from "../../train/tasks/task.ts";
import { toFailure } from "../failure.ts";
import type { Failure } from "../failure.ts";

export const PROBLEMS = 4;
const SAMPLES = 4;

/** What a model has written to a problem. */
export interface Attempt {
  readonly think: string;
  readonly answer: string;
  readonly isRight: boolean;
  readonly tokens: number;
}

/** A held-out problem, and what there is of both models' attempts at it. */
export interface Comparison {
  readonly prompt: string;
  readonly before: readonly Attempt[];
  readonly after: readonly Attempt[];
}

export type Side = "before" | "after";

export interface ComparedRun {
  readonly id: string;
  readonly config: GrpoConfig;
  readonly before: ModelSource;
  readonly after: ModelSource;
  /** What both models' weights become while they are loaded. */
  readonly format?: FrozenFormat;
}

interface CompareState {
  /** Of which run the results are. */
  readonly runId: string | undefined;
  readonly results: readonly Comparison[];
  /** The model that answers at the moment. */
  readonly asking: Side | undefined;
  readonly failure: Failure | undefined;
  readonly compare: (engine: Pick<EngineClient, "load" | "generate">, run: ComparedRun) => Promise<void>;
  readonly stop: () => void;
}

/** The starting model and the trained one, asked the same held-out problems with the same seed. */
export const useCompare = create<CompareState>()((set, get) => {
  let abort: AbortController | undefined;

  return {
    runId: undefined,
    results: [],
    asking: undefined,
    failure: undefined,
    stop: () => abort?.abort(),
    compare: async (engine, { id, config, before, after, format }) => {
      if (get().asking) return;
      const running = new AbortController();
      abort = running;
      const task = parseTask(config.task ?? "");
      const problems = heldOutProblems(task, config.level ?? undefined, PROBLEMS, config.seed);
      const promptFor = (problem: Problem): string => promptOf(task, problem, config.task_instructions);
      const none = (problem: Problem): Comparison => ({ prompt: problem.prompt, before: [], after: [] });
      set({ runId: id, results: problems.map(none), asking: "before", failure: undefined });
      const ask = async (side: Side, source: ModelSource): Promise<void> => {
        set({ asking: side });
        await engine.load({ source, ...(format ? { format } : {}) }, { signal: running.signal });
        for (const [i, problem] of problems.entries()) {
          const { columns } = problem;
          const options = {
            n: SAMPLES,
            seed: config.seed,
            temperature: config.temperature,
            topP: config.top_p,
            topK: config.top_k,
            maxNewTokens: config.max_completion_length,
          };
          const call = { prompt: { messages: [{ role: "user", content: promptFor(problem) }] as const }, options };
          for await (const event of engine.generate(call, running.signal)) {
            if (event.type !== "finished" || event.completion.finishReason === "aborted") continue;
            const { think, answer, text, ids } = event.completion;
            const attempt = { think, answer, isRight: task.check(columns, text), tokens: ids.length };
            set({
              results: get().results.map((one, j) => (j === i ? { ...one, [side]: [...one[side], attempt] } : one)),
            });
          }
          if (running.signal.aborted) return;
        }
      };
      try {
        await ask("before", before);
        if (!running.signal.aborted) await ask("after", after);
      } catch (error) {
        if (!(isR1Error(error) && error.code === "E_ABORTED")) set({ failure: toFailure(error) });
      } finally {
        set({ asking: undefined });
      }
    },
  };
});

/** Share of right attempts among those that there are; undefined for none. */
export function accuracyOf(results: readonly Comparison[], side: Side): number | undefined {
  const attempts = results.flatMap((one) => one[side]);
  return attempts.length === 0 ? undefined : attempts.filter(({ isRight }) => isRight).length / attempts.length;
}
