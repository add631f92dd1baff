import { useEffect, useMemo, useState } from "react";
import { RunStage } from "../charts/RunStage.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { runUpTo } from "../runs/record-data.ts";
import type { RunData } from "../runs/run-data.ts";
import { registerShare } from "../share/link.ts";
import { usePage } from "../store.ts";
import { ComparePanel } from "./ComparePanel.tsx";
import { labShare } from "./lab-share.ts";
import { labTexts } from "./lab-texts.ts";
import { Notes } from "./Notes.tsx";
import { ReplayBar } from "./ReplayBar.tsx";
import { useReplay } from "./replay-store.ts";
import { PendingBar, RunBar } from "./RunBar.tsx";
import { RunsList } from "./RunsList.tsx";
import { SetupPanel } from "./SetupPanel.tsx";
import { suggestRun } from "./suggestion.ts";
import { useLab } from "./use-lab.ts";

const TABS = ["setup", "run"] as const;
type Tab = (typeof TABS)[number];

registerShare("lab", labShare);

/** Left the new run and the runs there are, in the centre the charts of the one in front; on a narrow screen, tabs. */
export function LabPage() {
  const { t } = usePartTexts(labTexts);
  const [tab, setTab] = useState<Tab>("run");
  useEffect(() => void useLab.getState().open(), []);
  useSuggestion();
  const showRun = (): void => setTab("run");
  const onWide = (name: Tab): string => (tab === name ? "flex" : "hidden md:flex");
  return (
    <main className="flex min-h-0 flex-1 flex-col">
      <div role="group" aria-label={t.tabs} className="flex border-b border-line md:hidden">
        {TABS.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={tab === name}
            className="flex-1 border-b-2 border-transparent px-4 py-2.5 text-sm text-quiet aria-pressed:border-ink aria-pressed:font-semibold aria-pressed:text-ink"
            onClick={() => setTab(name)}
          >
            {t[name]}
          </button>
        ))}
      </div>
      <div className="flex min-h-0 flex-1">
        <section
          aria-label={t.setup}
          className={`${onWide("setup")} min-h-0 flex-1 flex-col gap-6 overflow-y-auto border-line p-4 md:w-88 md:flex-none md:border-r`}
        >
          <SetupPanel onStart={showRun} />
          <RunsList onShow={showRun} />
        </section>
        <section aria-label={t.run} className={`${onWide("run")} min-h-0 min-w-0 flex-1 flex-col`}>
          <Centre onOpenSettings={() => setTab("setup")} />
        </section>
      </div>
    </main>
  );
}

/** Settings that suit the device and the models there are, as long as the reader has chosen none. */
function useSuggestion(): void {
  const isSoftware = usePage((state) => state.device?.isFallback === true);
  const builtIns = usePage((state) => state.builtIns);
  useEffect(() => {
    suggestRun(builtIns, isSoftware);
  }, [isSoftware, builtIns]);
}

function Centre({ onOpenSettings }: { readonly onOpenSettings: () => void }) {
  const { t } = usePartTexts(labTexts);
  const [view, setView] = useState<"charts" | "compare">("charts");
  const data = useLab((state) => state.data);
  const shown = useLab((state) => state.shown);
  const activeRun = useLab((state) => state.active);
  const activeId = activeRun?.id;
  const runs = useMemo(() => shown.flatMap((id) => data[id] ?? []), [shown, data]);
  const [front] = runs;
  const drawn = useReplayed(runs);
  useFirstReplay(front);
  const active = activeId === undefined ? undefined : data[activeId];
  const pending = activeRun && !active ? <PendingBar active={activeRun} /> : null;
  if (!front) {
    return (
      <div className="m-auto flex max-w-md flex-col gap-3 p-6">
        <Notes />
        <h2 className="text-xl font-semibold">{t.emptyHeading}</h2>
        {pending ?? <p>{t.emptyText}</p>}
      </div>
    );
  }
  return (
    <>
      <div className="flex flex-col gap-3 border-b border-line px-4 py-3">
        <Notes />
        {pending}
        {active && active.id !== front.id ? <RunBar run={active} /> : null}
        <RunBar run={front} />
        {activeId !== front.id && front.steps.length > 1 ? <ReplayBar run={front} /> : null}
        <div role="group" aria-label={t.run} className="flex gap-1">
          {(["charts", "compare"] as const).map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={view === name}
              className="rounded-md px-2.5 py-1 text-sm text-quiet hover:text-ink aria-pressed:bg-bubble aria-pressed:font-semibold aria-pressed:text-ink"
              onClick={() => setView(name)}
            >
              {t[name]}
            </button>
          ))}
        </div>
      </div>
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">
        {view === "charts" ? (
          <RunStage runs={drawn} focus={front.id} onOpenSettings={onOpenSettings} />
        ) : (
          <ComparePanel run={front} />
        )}
      </div>
    </>
  );
}

/** The runs as the replay shows them: the one that is played, up to its step. */
function useReplayed(runs: readonly RunData[]): readonly RunData[] {
  const runId = useReplay((state) => state.replay?.runId);
  const step = useReplay((state) => Math.floor(state.replay?.position ?? 0));
  return useMemo(
    () => (runId === undefined ? runs : runs.map((run) => (run.id === runId ? runUpTo(run, step) : run))),
    [runs, runId, step],
  );
}

let hasPlayed = false;

/** A record that is there before anything was started plays by itself, once, unless motion is unwelcome. */
function useFirstReplay(front: RunData | undefined): void {
  useEffect(() => {
    if (hasPlayed || front?.isRecorded !== true) return;
    hasPlayed = true;
    if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
      useReplay.getState().play(front.id, front.steps.at(-1)?.step ?? 0);
    }
  }, [front]);
}
