import { R1Error } from "../../errors.ts";
import { buildPrompt } from "../../text/chat.ts";
import { parseMessages } from "../../text/messages.ts";
import type { ChatMessage } from "../../text/messages.ts";
import { createNodeTemplateHost } from "../../text/node/node-template-host.ts";
import { requireTemplate } from "../../text/template.ts";
import { UsageError } from "../args.ts";
import type { Args } from "../args.ts";
import type { Command } from "../command.ts";
import { modelPath } from "../model-path.ts";
import { readFileBytes, readTextFile } from "../text-file.ts";
import { loadTextAssets, requireTokenizer } from "../../model/text-assets.ts";

const MODEL = { model: { type: "string" } } as const;

/** Messages of `--messages FILE`. @throws R1Error E_JSON, E_MESSAGES */
export function readMessages(path: string): ChatMessage[] {
  const text = readTextFile(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new R1Error(
      "E_JSON",
      `${path}: ${cause instanceof Error ? cause.message : "not JSON"}`,
      { file: path },
      { cause },
    );
  }
  return parseMessages(json);
}

/** A text to be tokenized: a byte-order mark is a part of it. @throws R1Error E_FILE_MISSING, E_FILE_READ */
function readFileAsItIs(path: string): string {
  return readFileBytes(path).toString("utf8");
}

function textFromArgs(args: Args): string {
  const text = args.text("text");
  const file = args.text("file");
  if ((text === undefined) === (file === undefined)) throw new UsageError("give either --text or --file");
  return text ?? readFileAsItIs(file ?? "");
}

export const tokenizeCommand: Command = {
  name: "tokenize",
  usage: "--model <path> (--text T | --file F)",
  summary: "token ids of a text; no BOS is added, added tokens are parsed",
  options: { ...MODEL, text: { type: "string" }, file: { type: "string" } },
  async run(args) {
    const { folder } = await modelPath(args.required("model"));
    const text = textFromArgs(args);
    const tokenizer = requireTokenizer(await loadTextAssets(folder), folder);
    const ids = tokenizer.encode(text);
    return { json: { ids, tokens: ids.map((id) => tokenizer.tokenOf(id)) }, text: ids.join(",") };
  },
};

export const detokenizeCommand: Command = {
  name: "detokenize",
  usage: "--model <path> --ids 5,6,7",
  summary: "text of token ids",
  options: { ...MODEL, ids: { type: "string" } },
  async run(args) {
    const { folder } = await modelPath(args.required("model"));
    const ids = args.ids("ids");
    if (!ids) throw new UsageError("--ids is missing");
    const tokenizer = requireTokenizer(await loadTextAssets(folder), folder);
    const unknown = ids.find((id) => tokenizer.tokenOf(id) === undefined);
    if (unknown !== undefined) throw new R1Error("E_TOKEN_RANGE", `token id ${unknown} is not in the vocabulary`);
    const text = tokenizer.decode(ids);
    return { json: { text }, text };
  },
};

export const templateCommand: Command = {
  name: "template",
  usage: "--model <path> --messages F.json [--no-generation-prompt] [--parse-special]",
  summary: "the chat template's text and its token ids",
  options: {
    ...MODEL,
    messages: { type: "string" },
    "no-generation-prompt": { type: "boolean" },
    "parse-special": { type: "boolean" },
  },
  async run(args) {
    const { folder } = await modelPath(args.required("model"));
    const messages = readMessages(args.required("messages"));
    const addGenerationPrompt = !args.flag("no-generation-prompt");
    const assets = await loadTextAssets(folder);
    const tokenizer = requireTokenizer(assets, folder);
    const host = createNodeTemplateHost();
    try {
      const template = requireTemplate(assets.template);
      const parseSpecial = args.flag("parse-special");
      const { text, ids } = await buildPrompt({
        messages,
        template,
        tokenizer,
        host,
        addGenerationPrompt,
        parseSpecial,
      });
      return { json: { text, ids }, text };
    } finally {
      host.dispose();
    }
  },
};
