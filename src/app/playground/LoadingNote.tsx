import { formatBytes } from "../format.ts";
import type { Texts } from "../i18n/texts.ts";
import type { LoadProgress } from "../../engine/protocol.ts";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Button } from "../components/Button.tsx";

/** How far loading is, and the way to stop it. */
export function LoadingNote() {
  const { t, language } = useTexts();
  const model = usePage((state) => state.model);
  const isRecovery = usePage((state) => state.recovery === "done");
  if (model.status !== "loading") return null;
  const { stage, loadedBytes, totalBytes } = model.progress;
  const text = stageText(t, stage);
  const known = totalBytes > 0 ? { value: loadedBytes, max: totalBytes } : {};
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm">
      <span className="flex-1 sm:flex-none">{text}</span>
      <progress className="order-last basis-full sm:order-none sm:flex-1 sm:basis-0" aria-label={text} {...known} />
      {totalBytes > 0 ? (
        <span className="text-xs text-quiet">
          {formatBytes(loadedBytes, language)} / {formatBytes(totalBytes, language)}
        </span>
      ) : null}
      <Button onClick={() => model.abort.abort()}>{t.cancel}</Button>
      {isRecovery ? (
        <p role="status" className="order-first basis-full">
          {t.recovering}
        </p>
      ) : null}
    </div>
  );
}

function stageText(t: Texts, stage: LoadProgress["stage"]): string {
  return { device: t.loadingDevice, files: t.loadingFiles, weights: t.loadingWeights, kernels: t.loadingKernels }[
    stage
  ];
}
