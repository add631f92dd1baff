import { join } from "node:path";
import { expect, it } from "vitest";
import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { nodeFolder } from "../checkpoint/node/folder.ts";
import { testGpu } from "../gpu/node/test-device.ts";
import { loadModel } from "../model/load.ts";
import { Session } from "../model/session.ts";
import { loadTextAssets, requireTokenizer } from "../model/text-assets.ts";
import { DATA, hasData } from "../testing-data.ts";
import { buildPrompt } from "../text/chat.ts";
import { createLocalTemplateHost } from "../text/template-host.ts";
import { generate } from "./generate.ts";
import { resolveOptions } from "./options.ts";

/** Models made after public bug reports, what they are asked, and what they are to say. */
it.skipIf(!hasData("reports")).each([
  // EOS is `<|endoftext|>`, and nothing but its text says that `<|im_end|>` ends the turn.
  { path: "reports", file: "im_end.gguf", question: "hi", answer: "The answer is 12." },
  // Tags that are several tokens: the question's is no thought.
  { path: "reports/models/th-user", question: "What does <think> mean?", answer: "It marks a thought." },
  { path: "reports/models/th-user", question: "</think> and <think>\n", answer: "It marks a thought." },
])("$path $file answers $question (needs the shared data folder)", async ({ path, file, question, answer }) => {
  const context = await testGpu();
  const folder = await modelFolder(nodeFolder(join(DATA, path)), file);
  const model = await loadModel(context, folder);
  const session = await Session.create(model, {
    maxSequences: 1,
    contextTokens: 128,
    kvTokens: 128,
    prefillRows: 64,
    kv: "f32",
  });
  const text = await loadTextAssets(folder);
  const tokenizer = requireTokenizer(text, folder);
  const messages = [{ role: "user" as const, content: question }];
  const prompt = await buildPrompt({ messages, template: text.template, tokenizer, host: createLocalTemplateHost() });
  const options = resolveOptions({ maxNewTokens: 24, temperature: 0 });
  const finished = [];
  for await (const event of generate(session, { prompts: [prompt], options, tokenizer, stopIds: text.eosIds })) {
    if (event.type === "finished") finished.push(event.completion);
  }
  expect(finished).toMatchObject([{ answer, think: "", finishReason: "stop" }]);
});
