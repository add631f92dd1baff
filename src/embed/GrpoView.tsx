import { useEffect, useRef, useState } from "react";
import { Button } from "../app/components/Button.tsx";
import { usePartTexts } from "../app/i18n/use-part-texts.ts";
import { fetchRecordedRun, fetchRecordedRuns } from "../app/runs/recorded-run.ts";
import type { RunData } from "../app/runs/run-data.ts";
import type { EmbedAddress } from "./params.ts";
import { RunStage } from "../app/charts/RunStage.tsx";
import { HAS_WEBGPU, HAS_WORKER, startByReader, useFrame } from "./frame-store.ts";
import { LiveRun } from "./LiveRun.tsx";
import { runUntil } from "./run-until.ts";
import { embedTexts } from "./texts.ts";
import { usePlayhead } from "./use-playhead.ts";
import { useSeen } from "./use-seen.ts";

type Loaded = { readonly run: RunData } | "none" | undefined;

interface GrpoViewProps {
  readonly address: EmbedAddress;
  /** Told each step as it is shown. */
  readonly onStep: (step: number, metrics: Readonly<Record<string, number>>) => void;
}

/** A recorded run of GRPO, played again, until the reader starts one of their own. */
export function GrpoView({ address, onStep }: GrpoViewProps) {
  const isStarted = useFrame((state) => state.isStarted);
  return isStarted ? <LiveRun onStep={onStep} /> : <RecordedView address={address} onStep={onStep} />;
}

function RecordedView({ address, onStep }: GrpoViewProps) {
  const { t } = usePartTexts(embedTexts);
  const loaded = useRecordedRun(address.preset);
  if (loaded === undefined) return <p className="m-auto text-sm text-quiet">{t.opening}</p>;
  if (loaded === "none") return <p className="m-auto text-sm text-quiet">{t.noRun}</p>;
  return <Replay run={loaded.run} playsWhenSeen={address.start === "visible"} onStep={onStep} />;
}

interface ReplayProps {
  readonly run: RunData;
  readonly playsWhenSeen: boolean;
  readonly onStep: GrpoViewProps["onStep"];
}

function Replay({ run, playsWhenSeen, onStep }: ReplayProps) {
  const { t } = usePartTexts(embedTexts);
  const box = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(box);
  const wasAsked = useFrame((state) => state.wasAsked);
  const { step, isPlaying, play } = usePlayhead(run.steps.length);
  useEffect(() => {
    if (playsWhenSeen && isSeen) play();
  }, [playsWhenSeen, isSeen, play]);
  const shown = runUntil(run, step);
  const last = shown.steps.at(-1);
  useEffect(() => {
    if (last) onStep(last.step, last.metrics);
  }, [last, onStep]);
  return (
    <>
      <div ref={box} className="min-h-0 flex-1 overflow-y-auto px-4" tabIndex={0} role="region" aria-label={t.viewGrpo}>
        <div data-content className="flex flex-col gap-4 py-4">
          <h2 className="sr-only">{t.viewGrpo}</h2>
          <p className="flex flex-wrap items-center gap-3 text-xs text-quiet">
            <span className="rounded-sm border border-edge px-1.5 py-0.5 font-semibold text-ink">{t.recorded}</span>
            {t.recordedRun}
          </p>
          <RunStage runs={[shown]} focus={shown.id} />
        </div>
      </div>
      <div className="flex flex-wrap items-center gap-3 border-t border-line bg-sheet px-4 py-3">
        <Button disabled={isPlaying} onClick={play}>
          {t.playRun}
        </Button>
        <progress className="min-w-24 flex-1" aria-label={t.steps} value={step} max={run.steps.length} />
        {HAS_WORKER && HAS_WEBGPU ? (
          <Button kind="primary" onClick={() => void startByReader()}>
            {t.train}
          </Button>
        ) : null}
        <p role="status" className="basis-full text-sm empty:hidden">
          {wasAsked ? t.asked : ""}
        </p>
      </div>
    </>
  );
}

function useRecordedRun(preset: string | undefined): Loaded {
  const [loaded, setLoaded] = useState<Loaded>();
  useEffect(() => {
    let isHere = true;
    const open = async (): Promise<Loaded> => {
      const runs = await fetchRecordedRuns();
      const chosen = runs.find(({ name }) => name === preset) ?? runs[0];
      return chosen ? { run: await fetchRecordedRun(chosen) } : "none";
    };
    open().then(
      (found) => isHere && setLoaded(found),
      () => isHere && setLoaded("none"),
    );
    return () => {
      isHere = false;
    };
  }, [preset]);
  return loaded;
}
