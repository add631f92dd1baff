import type { Tokenizer } from "../../text/tokenizer.ts";
import type { SftConfig } from "../config/sft-config.ts";
import { readDatasetRows } from "../data/jsonl.ts";
import { demonstrationOf } from "../data/rows.ts";
import { R1Error } from "../../errors.ts";
import { Rng } from "../rng.ts";
import { parseTask } from "../tasks/tasks.ts";
import type { DataWarning } from "./data-warnings.ts";
import { endingsOf, writeDemonstration } from "./demonstration.ts";
import type { Demonstrated, DemonstrationWriter } from "./demonstration.ts";
import { PURPOSE } from "./environment.ts";
import type { Example } from "./example.ts";
import { checkRows, checkTaskExamples } from "./example-checks.ts";
import type { PromptWriter } from "./prompts.ts";

/** Numbered examples; the same number gives the same example. */
export interface ExampleSource {
  readonly size: number;
  readonly at: (index: number) => Example;
  /** What there is to say of them before the first step. */
  readonly warnings: readonly DataWarning[];
}

/**
 * Opens a run's examples. A dataset's rows are all looked at: those of which no token is scored are left out.
 * @param positions of the model, which no example can be longer than
 * @throws R1Error E_OPTION for an unknown task, and for a `max_length` that leaves nothing of its examples; E_JSON and
 *   E_FORMAT for a dataset's rows; E_DATASET where no row is left; E_TOKENIZER without an EOS token
 */
export async function openExamples(
  config: SftConfig,
  tokenizer: Tokenizer,
  prompts: PromptWriter,
  positions: number,
  readDataset: (path: string) => Promise<string>,
): Promise<ExampleSource> {
  const [eos] = tokenizer.eosIds;
  if (eos === undefined) throw new R1Error("E_TOKENIZER", "the tokenizer names no end-of-sequence token");
  const { max_length, completion_only_loss: completionOnly } = config;
  const maxLength = Math.min(max_length, positions);
  const writer: DemonstrationWriter = {
    tokenizer,
    prompts,
    eos,
    endings: endingsOf(tokenizer, prompts.turnEnd),
    maxLength,
    maxLengthSays: maxLength === max_length ? `max_length ${max_length}` : `the model's ${positions} positions`,
    completionOnly,
  };
  return config.dataset === null ? taskExamples(config, writer) : datasetExamples(config, writer, readDataset);
}

function taskExamples(config: SftConfig, writer: DemonstrationWriter): ExampleSource {
  const { seed, kind, level } = config;
  const names = (config.task ?? "").split("+");
  const tasks = names.map((name) => parseTask(name.trim()));
  const at = (index: number): Example => {
    const rng = new Rng(seed, PURPOSE.examples, index);
    const task = rng.pick(tasks);
    if (kind === "pretrain") return plainText(writer, task.pretrain(rng));
    const problem = task.sample(rng, "train", level ?? task.defaultLevel);
    return writeDemonstration(writer, { prompt: problem.prompt, completion: task.trace(rng, problem) });
  };
  const size = config.num_examples ?? 0;
  return { size, at, warnings: checkTaskExamples(names.join("+"), size, at, writer) };
}

async function datasetExamples(
  config: SftConfig,
  writer: DemonstrationWriter,
  readDataset: (path: string) => Promise<string>,
): Promise<ExampleSource> {
  const file = config.dataset ?? "";
  const rows: Demonstrated[] = [];
  for (const row of readDatasetRows(await readDataset(file), file)) {
    const { prompt, completion } = demonstrationOf(row, file);
    // Conversations are rendered now, since a template is rendered in another process; messages when they are needed.
    const written = typeof prompt === "string" ? prompt : await writer.prompts.write(prompt);
    rows.push({ line: row.line, prompt: written, completion });
  }
  const { kept, warnings } = checkRows(rows, writer, file);
  return {
    size: kept.length,
    at: (index) => writeDemonstration(writer, kept[index] ?? { prompt: "", completion: "" }),
    warnings,
  };
}

/** BOS, the text, EOS; every token after BOS is scored. */
function plainText({ tokenizer, eos, maxLength }: DemonstrationWriter, text: string): Example {
  const bos = tokenizer.bosId === undefined ? [] : [tokenizer.bosId];
  return { ids: [...bos, ...tokenizer.encode(text), eos].slice(0, maxLength), promptLength: 0 };
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
