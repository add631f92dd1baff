import { useId, useState } from "react";
import { FailureNote } from "../components/FailureNote.tsx";
import { WithoutGpu } from "../traces/WithoutGpu.tsx";
import { useTexts } from "../use-texts.ts";
import { Composer } from "./Composer.tsx";
import { Conversation } from "./Conversation.tsx";
import { Inspector } from "./Inspector.tsx";
import { LoadingNote } from "./LoadingNote.tsx";
import { ModelPanel } from "./ModelPanel.tsx";
import { PanelToggle } from "./PanelToggle.tsx";
import { SettingsPanel } from "./SettingsPanel.tsx";

/** Left the model and its settings, in the centre the conversation, right (below on narrow screens) the token looked at. */
export function PlaygroundPage() {
  const { t } = useTexts();
  const panel = useId();
  // Only a narrow screen hides the panel.
  const [panelOpen, setPanelOpen] = useState(false);
  return (
    <>
      <PanelToggle panel={panel} open={panelOpen} onToggle={() => setPanelOpen(!panelOpen)} />
      <main className="flex min-h-0 flex-1 flex-col md:flex-row">
        <section
          id={panel}
          aria-label={t.panel}
          className={`${panelOpen ? "flex" : "hidden"} min-h-0 flex-1 flex-col gap-6 overflow-y-auto border-line p-4 md:flex md:w-80 md:flex-none md:border-r`}
        >
          <ModelPanel />
          <SettingsPanel />
        </section>
        <div className={`flex min-h-0 min-w-0 flex-col ${panelOpen ? "md:flex-1" : "flex-1"}`}>
          <div className={`${panelOpen ? "hidden md:flex" : "flex"} min-h-0 flex-1 flex-col lg:flex-row`}>
            <WithoutGpu>
              <Conversation />
              <Inspector />
            </WithoutGpu>
          </div>
          <div className="border-t border-line px-4 pt-3 pb-4">
            <div className="mx-auto flex w-full max-w-4xl flex-col gap-3">
              <LoadingNote />
              <FailureNote />
              <Composer />
            </div>
          </div>
        </div>
      </main>
    </>
  );
}
