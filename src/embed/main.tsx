import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { applyPreferences } from "../app/preferences.ts";
import { useLinkProblem } from "../app/share/link.ts";
import { usePage } from "../app/store.ts";
import "../app/styles.css";
import { EmbedApp } from "./EmbedApp.tsx";
import { openAddress, useFrame } from "./frame-store.ts";
import { parseEmbedAddress } from "./params.ts";
import { frameWindow, ParentLink } from "./parent-link.ts";
import { perform } from "./perform.ts";
import { capsNow, reportTo, stateNow } from "./report.ts";

async function main(): Promise<void> {
  const address = await parseEmbedAddress(location.search, location.hash);
  openAddress(address);
  useLinkProblem.setState({ problem: address.problem });
  // A frame remembers nothing: the choice holds until it is left.
  applyPreferences(usePage.getState());
  usePage.subscribe(applyPreferences);

  const link = new ParentLink(frameWindow(), (command) => {
    if (command.type === "hello") {
      link.say("ready", capsNow(), command.id);
      return;
    }
    const code = command.type === "getState" ? undefined : perform(command);
    if (code === undefined) link.say("state", stateNow(), command.id);
    else link.say("error", { code }, command.id);
    if (command.type === "destroy") link.close();
  });
  const leave = reportTo(link);
  useFrame.subscribe(({ isStarted, isClosed, runStatus }, before) => {
    if (isStarted !== before.isStarted || runStatus !== before.runStatus) link.say("state", stateNow());
    // A run has no replies; what it did was told step by step.
    if (runStatus === "idle" && before.runStatus !== "idle") link.say("done", { replies: [] });
    if (isClosed) leave();
  });

  const root = document.getElementById("root");
  if (!root) throw new Error("embed.html has no #root");
  const onHeight = (height: number): void => link.say("resize", { height });
  const onStep = (step: number, metrics: Readonly<Record<string, number>>): void =>
    link.say("metrics", { step, ...metrics });
  createRoot(root).render(
    <StrictMode>
      <EmbedApp onHeight={onHeight} onStep={onStep} />
    </StrictMode>,
  );
  link.say("ready", capsNow());
}

void main();
