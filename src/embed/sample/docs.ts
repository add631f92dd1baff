import "../../app/styles.css";
import { createEmbed, EmbedError } from "../client/embed-client.ts";
import type { Embed } from "../client/embed-client.ts";

/** Where the playground is: one folder above this page, unless the page names another place. */
const base = document.documentElement.dataset["playground"] ?? "../";

const chat = createEmbed(place("chat"), {
  base,
  view: "chat",
  start: "visible",
  title: "R1 Playground: a conversation",
});
createEmbed(place("grpo"), { base, view: "grpo", start: "visible", title: "R1 Playground: a GRPO run", height: 640 });

const said = place("said");
chat.on("progress", ({ stage }) => say(`Loading: ${stage}`));
chat.on("token", ({ tokens }) => say(tokens.at(-1)?.channel === "answer" ? "It answers…" : "It thinks…"));
chat.on("done", ({ replies: [reply] }) => say(`It answered: ${reply?.answer.trim() ?? ""}`));

place("ask").addEventListener("click", () => void command(ask));
place("stop").addEventListener("click", () => void command((embed) => embed.stop()));

async function ask(embed: Embed): Promise<void> {
  await embed.setPrompt("make 30 from 6 4 6");
  await embed.start();
}

async function command(run: (embed: Embed) => Promise<unknown>): Promise<void> {
  try {
    await run(chat);
  } catch (error) {
    if (!(error instanceof EmbedError)) throw error;
    say(error.code === "E_NEEDS_CLICK" ? "Press start in the frame first." : `Not now: ${error.code}`);
  }
}

function say(text: string): void {
  said.textContent = text;
}

function place(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element;
}
