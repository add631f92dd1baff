import type { Tokenizer } from "../../text/tokenizer.ts";
import type { SftConfig } from "../config/sft-config.ts";
import { R1Error } from "../../errors.ts";
import { Rng } from "../rng.ts";
import { parseTask } from "../tasks/tasks.ts";
import { PURPOSE } from "./environment.ts";
import { parseJsonl, textField } from "./problems.ts";
import type { PromptWriter } from "./prompts.ts";

/** A training text: token ids of prompt and completion, and where the completion begins. */
export interface Example {
  readonly ids: readonly number[];
  /** Tokens before the first scored one; 0 scores all that have a token before them. */
  readonly promptLength: number;
}

/** Numbered examples; the same number gives the same example. */
export interface ExampleSource {
  readonly size: number;
  readonly at: (index: number) => Example;
}

/** What a text for training is written with. */
interface Writer {
  readonly tokenizer: Tokenizer;
  readonly prompts: PromptWriter;
  readonly eos: number;
  readonly maxLength: number;
}

/**
 * Opens a run's examples.
 * @throws R1Error E_OPTION for an unknown task, E_JSON and E_FORMAT for a dataset's rows, E_TOKENIZER without an EOS token
 */
export async function openExamples(
  config: SftConfig,
  tokenizer: Tokenizer,
  prompts: PromptWriter,
  readDataset: (path: string) => Promise<string>,
): Promise<ExampleSource> {
  const [eos] = tokenizer.eosIds;
  if (eos === undefined) throw new R1Error("E_TOKENIZER", "the tokenizer names no end-of-sequence token");
  const writer: Writer = { tokenizer, prompts, eos, maxLength: config.max_length };
  return config.dataset === null ? taskExamples(config, writer) : datasetExamples(config, writer, readDataset);
}

function taskExamples(config: SftConfig, writer: Writer): ExampleSource {
  const { seed, kind, level, completion_only_loss } = config;
  const names = (config.task ?? "").split("+");
  const tasks = names.map((name) => parseTask(name.trim()));
  return {
    size: config.num_examples ?? 0,
    at: (index) => {
      const rng = new Rng(seed, PURPOSE.examples, index);
      const task = rng.pick(tasks);
      if (kind === "pretrain") return plainText(writer, task.pretrain(rng));
      const problem = task.sample(rng, "train", level ?? task.defaultLevel);
      return demonstration(writer, problem.prompt, task.trace(rng, problem), completion_only_loss);
    },
  };
}

async function datasetExamples(
  config: SftConfig,
  writer: Writer,
  readDataset: (path: string) => Promise<string>,
): Promise<ExampleSource> {
  const file = config.dataset ?? "";
  const rows = parseJsonl(await readDataset(file), file);
  const pairs = rows.map((row) => [textField(row, "prompt", file), textField(row, "completion", file)] as const);
  return {
    size: pairs.length,
    at: (index) => {
      const [prompt = "", completion = ""] = pairs[index] ?? [];
      return demonstration(writer, prompt, completion, config.completion_only_loss);
    },
  };
}

/** BOS, the text, EOS; every token after BOS is scored. */
function plainText({ tokenizer, eos, maxLength }: Writer, text: string): Example {
  const bos = tokenizer.bosId === undefined ? [] : [tokenizer.bosId];
  return { ids: [...bos, ...tokenizer.encode(text), eos].slice(0, maxLength), promptLength: 0 };
}

function demonstration(
  { tokenizer, prompts, eos, maxLength }: Writer,
  prompt: string,
  completion: string,
  completionOnly: boolean,
): Example {
  const before = prompts.ids(prompt);
  // A completion that opens its thought itself, where the template has done so already.
  const rest = completion.startsWith(prompts.opening) ? completion.slice(prompts.opening.length) : completion;
  const ids = [...before, ...tokenizer.encode(rest), eos].slice(0, maxLength);
  return { ids, promptLength: completionOnly ? Math.min(before.length, ids.length) : 0 };
}

/** Example numbers of step `step` (from 0): each epoch goes through all of them in a new order. */
export function exampleOrder(size: number, perStep: number, seed: number): (step: number) => readonly number[] {
  let epoch = -1;
  let order: readonly number[] = [];
  return (step) =>
    Array.from({ length: perStep }, (_, i) => {
      const at = step * perStep + i;
      const wanted = Math.floor(at / size);
      if (wanted !== epoch) {
        epoch = wanted;
        order = shuffled(size, new Rng(seed, PURPOSE.order, epoch));
      }
      return order[at % size] ?? 0;
    });
}

/** Fisher and Yates in place: datasets are too long for one splice per element. */
function shuffled(size: number, rng: Rng): readonly number[] {
  const order = Uint32Array.from({ length: size }, (_, i) => i);
  for (let i = size - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    const [a = 0, b = 0] = [order[i], order[j]];
    order[i] = b;
    order[j] = a;
  }
  return Array.from(order);
}
