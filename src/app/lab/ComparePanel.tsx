import { isEngineHeld, sharedEngine } from "../engine.ts";
import { Button } from "../components/Button.tsx";
import { formatCount, formatPercent } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { RunData } from "../runs/run-data.ts";
import { usePage } from "../store.ts";
import { accuracyOf, useCompare } from "./compare-store.ts";
import type { Attempt, Comparison, Side } from "./compare-store.ts";
import { labTexts } from "./lab-texts.ts";
import { LabFailureBox } from "./LabFailureBox.tsx";
import { frozenFormat } from "./model-actions.ts";
import { useLab } from "./use-lab.ts";

/** The starting model and the trained one at the same held-out problems, side by side. */
export function ComparePanel({ run }: { readonly run: RunData }) {
  const { t, language } = usePartTexts(labTexts);
  const { runId, results, asking, failure, stop } = useCompare();
  const hasCheckpoint = useLab(({ runs }) =>
    runs.some(({ id, checkpointStep }) => id === run.id && checkpointStep > 0),
  );
  const isTraining = useLab((state) => state.active !== undefined);
  const playgroundIsBusy = usePage((state) => state.running !== undefined || state.model.status === "loading");
  const obstacle = run.isRecorded
    ? t.compareRecorded
    : isTraining
      ? t.compareBusy
      : hasCheckpoint
        ? undefined
        : t.compareNeedsCheckpoint;
  const isMine = runId === run.id;
  const percent = (side: Side): string => {
    const accuracy = isMine ? accuracyOf(results, side) : undefined;
    if (accuracy === undefined) return "";
    return `${formatPercent(accuracy, language)} ${t.rightOf}`;
  };
  return (
    <div className="flex flex-col gap-4 p-4">
      <p className="max-w-prose text-sm">{t.compareIntro}</p>
      <div className="flex flex-wrap items-center gap-3 text-sm">
        {asking ? (
          <Button onClick={stop}>{t.stop}</Button>
        ) : (
          <Button
            kind="primary"
            disabled={obstacle !== undefined || playgroundIsBusy}
            onClick={() => void compareRun(run)}
          >
            {t.compareStart}
          </Button>
        )}
        <p role="status" className="text-quiet">
          {asking ? `${t[asking]}: ${t.compareAsking}` : (obstacle ?? (playgroundIsBusy ? t.phaseWaiting : ""))}
        </p>
      </div>
      {failure && isMine ? <LabFailureBox failure={failure} runId={undefined} actions={null} /> : null}
      {isMine ? (
        <div className="overflow-x-auto">
          <table className="w-full border-collapse text-left text-sm max-sm:block sm:min-w-xl">
            <thead className="max-sm:block">
              <tr className={ON_PHONE}>
                <th className="w-36 p-2 font-semibold max-sm:hidden">{t.problem}</th>
                <th className="p-2 font-semibold">
                  {t.before} <span className="font-normal text-quiet">{percent("before")}</span>
                </th>
                <th className="p-2 font-semibold">
                  {t.after} <span className="font-normal text-quiet">{percent("after")}</span>
                </th>
              </tr>
            </thead>
            <tbody className="max-sm:block">
              {results.map((one) => (
                <Row key={one.prompt} comparison={one} />
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </div>
  );
}

/** A narrow screen has the problem above its two columns. */
const ON_PHONE = "max-sm:grid max-sm:grid-cols-2";

function Row({ comparison: { prompt, before, after } }: { readonly comparison: Comparison }) {
  return (
    <tr className={`border-t border-line align-top ${ON_PHONE}`}>
      <th scope="row" className="p-2 font-normal max-sm:col-span-2">
        {prompt}
      </th>
      <td className="p-2">
        <Attempts attempts={before} />
      </td>
      <td className="p-2">
        <Attempts attempts={after} />
      </td>
    </tr>
  );
}

function Attempts({ attempts }: { readonly attempts: readonly Attempt[] }) {
  const { t, language } = usePartTexts(labTexts);
  return (
    <ul className="flex flex-col gap-2">
      {attempts.map(({ think, answer, isRight, tokens }, i) => (
        <li key={i} className="rounded-md border border-line bg-sheet">
          <details>
            <summary className="flex cursor-pointer flex-wrap gap-x-2 px-2 py-1">
              <span aria-hidden>{isRight ? "✓" : "✗"}</span>
              <span className={isRight ? "font-semibold" : "text-quiet"}>{isRight ? t.right : t.wrong}</span>
              <span className="min-w-0 break-words">{answer.trim().replaceAll(/<\/?answer>/g, "") || t.noAnswer}</span>
              <span className="ml-auto text-xs text-quiet">
                {formatCount(tokens, language)} {t.tokens}
              </span>
            </summary>
            <p className="border-l-4 border-thought bg-thought-wash px-2 py-1 text-xs break-words whitespace-pre-wrap">
              <span className="sr-only">{t.thought}: </span>
              {think}
            </p>
          </details>
        </li>
      ))}
    </ul>
  );
}

/** Borrows the engine from the playground, whose model comes back afterwards. */
async function compareRun(run: RunData): Promise<void> {
  const { header } = run;
  if (header.kind !== "grpo" || isEngineHeld()) return;
  const { model } = usePage.getState();
  if (model.status === "ready") {
    usePage.setState({ model: { status: "lost", name: model.model.name, choice: model.choice } });
  }
  try {
    const lab = useLab.getState();
    await useCompare.getState().compare(sharedEngine(), {
      id: run.id,
      config: header.config,
      before: await lab.sourceOf(header.config.model),
      after: await lab.trainedSource(run.id, "after"),
      ...frozenFormat(header),
    });
  } catch (error) {
    useLab.getState().fail(error);
  } finally {
    await usePage.getState().reload();
  }
}
