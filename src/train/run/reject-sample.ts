import { PURPOSE } from "./environment.ts";
import type { ProblemSource } from "./problems.ts";
import type { Sampler, SamplingSettings } from "./rollout.ts";

export interface AcceptedPair {
  readonly prompt: string;
  readonly completion: string;
}

export interface AcceptedBatch {
  readonly problems: number;
  /** Right completions, each wording of a problem once. */
  readonly accepted: readonly AcceptedPair[];
}

export interface RejectionOptions {
  /** Problems that were done before, whole batches. */
  readonly done?: number;
  readonly signal?: AbortSignal;
  readonly problems: number;
  readonly perBatch: number;
  readonly samples: number;
  readonly seed: number;
  readonly settings: SamplingSettings;
}

/**
 * Rejection sampling (DeepSeek-R1, §2.3.3): samples of training problems of which only the right ones are kept, to
 * teach a student.
 * @throws R1Error E_ABORTED when the signal fires, within a batch
 */
export async function* acceptedSamples(
  sampler: Sampler,
  source: ProblemSource,
  { done = 0, signal, problems, perBatch, samples, seed, settings }: RejectionOptions,
): AsyncGenerator<AcceptedBatch> {
  for (let first = done; first < problems; first += perBatch) {
    const count = Math.min(perBatch, problems - first);
    const chosen = Array.from({ length: count }, (_, i) => source.training(first / perBatch, i, perBatch));
    const rollouts = await sampler.sample(
      chosen.map(({ input }) => input),
      samples,
      settings,
      { seed, path: [PURPOSE.rollout, first] },
      signal,
    );
    const seen = new Set<string>();
    const accepted = rollouts.flatMap(({ prompt, text, finished }): AcceptedPair[] => {
      const problem = chosen[prompt];
      const key = `${prompt} ${text}`;
      if (!problem || !finished || seen.has(key) || problem.verify?.(text) !== true) return [];
      seen.add(key);
      return [{ prompt: problem.prompt, completion: text }];
    });
    yield { problems: count, accepted };
  }
}
