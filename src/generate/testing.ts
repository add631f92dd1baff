import { join } from "node:path";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import type { GpuContext, GpuOptions } from "../gpu/device.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { loadModel } from "../model/load.ts";
import type { LanguageModelWeights, ModelSource } from "../model/load.ts";
import type { LanguageModel } from "../model/language-model.ts";
import { Session } from "../model/session.ts";
import type { SessionSizes } from "../model/session-buffers.ts";
import { FIXTURES } from "../testing-data.ts";
import type { Completion, GenerateEvent, GenerateStats, TokenEvent } from "./events.ts";
import { generate } from "./generate.ts";
import type { GenerateRequest } from "./generate.ts";
import { resolveOptions } from "./options.ts";
import type { GenerateOptions } from "./options.ts";

export const SMALL_SIZES: SessionSizes = {
  maxSequences: 8,
  contextTokens: 96,
  kvTokens: 512,
  prefillRows: 32,
  kv: "f32",
};

/** A golden fixture's model on a device of the tests. */
export async function loadFixture(
  name: string,
  source: ModelSource = {},
  options: GpuOptions = {},
): Promise<LanguageModelWeights> {
  return loadModel(await testGpu(options), nodeFolder(join(FIXTURES, name)), source);
}

export interface Opened {
  readonly context: GpuContext;
  readonly model: LanguageModelWeights;
  readonly session: Session;
  readonly dispose: () => void;
}

export async function openFixture(name: string, sizes: Partial<SessionSizes> = {}): Promise<Opened> {
  const model = await loadFixture(name);
  const session = await Session.create(model, { ...SMALL_SIZES, ...sizes });
  return {
    context: model.context,
    model,
    session,
    dispose: () => {
      session.dispose();
      model.dispose();
    },
  };
}

/** A request for plain token ids that no stop token ends. */
export function request(
  prompts: readonly (readonly number[])[],
  options: Partial<GenerateOptions> = {},
  rest: Partial<GenerateRequest> = {},
): GenerateRequest {
  return {
    prompts: prompts.map((ids) => ({ ids, startsInThink: false })),
    options: resolveOptions({ temperature: 0, maxNewTokens: 12, ...options }),
    stopIds: [],
    ...rest,
  };
}

export interface Collected {
  readonly events: readonly GenerateEvent[];
  readonly tokens: readonly TokenEvent[];
  /** By prompt, then by sample. */
  readonly completions: readonly (readonly Completion[])[];
  readonly stats: GenerateStats;
}

/** Runs a request to its end. */
export async function collect(session: LanguageModel, what: GenerateRequest): Promise<Collected> {
  const events: GenerateEvent[] = [];
  for await (const event of generate(session, what)) events.push(event);
  const completions: Completion[][] = what.prompts.map(() => []);
  let stats: GenerateStats | undefined;
  for (const event of events) {
    if (event.type === "done") stats = event.stats;
    const row = event.type === "finished" ? completions[event.prompt] : undefined;
    if (row && event.type === "finished") row[event.sample] = event.completion;
  }
  if (!stats) throw new Error("the request ended without statistics");
  return { events, tokens: events.filter((event) => event.type === "token"), completions, stats };
}

/** The only completion of a request for one sample of one prompt. */
export async function complete(session: LanguageModel, what: GenerateRequest): Promise<Completion> {
  const { completions } = await collect(session, what);
  const completion = completions[0]?.[0];
  if (!completion) throw new Error("no completion");
  return completion;
}

/** Deterministic token ids below `vocab`. */
export function tokenIds(length: number, vocab: number, salt = 1): number[] {
  return Array.from({ length }, (_, i) => (i * 37 + salt * 101 + ((i * i) % 11)) % vocab);
}
