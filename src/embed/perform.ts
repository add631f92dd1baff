import { usePage } from "../app/store.ts";
import type { Command } from "./commands.ts";
import { closeFrame, HAS_WORKER, setParams, useFrame } from "./frame-store.ts";

/**
 * Does what the embedding page asks.
 * @returns why not, as a code
 */
export function perform(command: Exclude<Command, { readonly type: "hello" | "getState" }>): string | undefined {
  const page = usePage.getState();
  switch (command.type) {
    case "start":
      return start();
    case "stop":
      page.stop();
      useFrame.getState().runner?.stop();
      return undefined;
    case "setPrompt":
      page.setDraft(command.payload.text);
      return undefined;
    case "setParams":
      setParams(command.payload);
      return undefined;
    case "setTheme":
      page.setPreference({ theme: command.payload.theme });
      return undefined;
    case "setLang":
      page.setPreference({ language: command.payload.lang });
      return undefined;
    case "destroy":
      closeFrame();
      return undefined;
  }
}

function start(): string | undefined {
  const { address, isStarted, runner, runStatus } = useFrame.getState();
  if (!HAS_WORKER) return "E_NO_WORKER";
  if (address === undefined || address.view === "trace") return "E_VIEW";
  if (!isStarted) {
    // It is the reader's GPU: a page around the frame could otherwise spend it unseen.
    useFrame.setState({ wasAsked: true });
    return "E_NEEDS_CLICK";
  }
  if (address.view === "grpo") {
    if (runStatus !== "idle") return "E_BUSY";
    runner?.start();
    return undefined;
  }
  const { model, running, draft, language, ask } = usePage.getState();
  if (running) return "E_BUSY";
  if (model.status !== "ready") return "E_NO_MODEL";
  const question = (draft ?? model.choice.builtIn?.examples[0]?.[language] ?? "").trim();
  if (question === "") return "E_PROMPT_EMPTY";
  void ask(question);
  return undefined;
}
