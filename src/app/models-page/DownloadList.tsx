import { Button } from "../components/Button.tsx";
import { FailureBox } from "../components/FailureNote.tsx";
import { formatBytes, formatCount } from "../format.ts";
import { LOCALES } from "../i18n/texts.ts";
import type { Language } from "../i18n/texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useHub } from "./hub-store.ts";
import type { Download } from "./hub-store.ts";
import { modelsTexts } from "./texts.ts";
import { visible } from "../../visible-text.ts";

/** What is on its way, or was stopped on it. */
export function DownloadList() {
  const { t } = usePartTexts(modelsTexts);
  const downloads = useHub((state) => state.downloads);
  const all = Object.values(downloads);
  if (all.length === 0) return null;
  return (
    <section aria-labelledby="downloads" className="flex flex-col gap-3">
      <h3 id="downloads" className="font-semibold">
        {t.downloads}
      </h3>
      <ul className="flex flex-col gap-3">
        {all.map((download) => (
          <DownloadCard key={download.address} download={download} />
        ))}
      </ul>
    </section>
  );
}

function DownloadCard({ download }: { readonly download: Download }) {
  const { t, language } = usePartTexts(modelsTexts);
  const { address, state, progress, failure } = download;
  const begin = useHub((hub) => hub.download);
  const pause = useHub((hub) => hub.pause);
  const cancel = useHub((hub) => hub.cancel);
  const known = progress && progress.totalBytes > 0 ? { value: progress.receivedBytes, max: progress.totalBytes } : {};
  return (
    <li className="flex flex-col gap-2 rounded-md border border-line bg-sheet p-4 text-sm">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="font-semibold break-all">{visible(address)}</span>
        <div className="flex gap-2">
          {state === "running" ? (
            <Button onClick={() => pause(address)}>{t.pause}</Button>
          ) : (
            <Button kind="primary" onClick={() => void begin(address)}>
              {t.resume}
            </Button>
          )}
          <Button onClick={() => void cancel(address)}>{t.cancel}</Button>
        </div>
      </div>
      <progress
        className="w-full"
        aria-label={visible(address)}
        {...(state === "running" || progress ? known : { value: 0 })}
      />
      <p className="text-xs text-quiet">{state === "running" ? lineOf(progress, t, language) : t.paused}</p>
      {failure ? (
        <FailureBox
          heading={t.failed}
          sentence={failure.code === "E_WORKER" ? t.workerEnded : LOCALES[language].errors[failure.code]}
          failure={failure}
          actions={null}
        />
      ) : null}
    </li>
  );
}

type Words = Readonly<Record<"starting" | "checking" | "ofTotal" | "left", string>>;

/** "1.2 GB of 3.6 GB · 12 MB/s · 3 min left · model.safetensors" */
function lineOf(progress: Download["progress"], t: Words, language: Language): string {
  if (!progress) return t.starting;
  const { stage, file, receivedBytes, totalBytes, bytesPerSecond, secondsLeft } = progress;
  const amount = `${formatBytes(receivedBytes, language)} ${t.ofTotal} ${formatBytes(totalBytes, language)}`;
  if (stage === "checking") return `${t.checking} ${amount}`;
  const speed = bytesPerSecond > 0 ? [`${formatBytes(bytesPerSecond, language)}/s`] : [];
  const left = secondsLeft === undefined ? [] : [leftOf(secondsLeft, t, language)];
  return [amount, ...speed, ...left, visible(file)].join(" · ");
}

function leftOf(seconds: number, t: Words, language: Language): string {
  const inMinutes = seconds >= 90;
  const value = Math.ceil(inMinutes ? seconds / 60 : seconds);
  const unit = new Intl.NumberFormat(language, {
    style: "unit",
    unit: inMinutes ? "minute" : "second",
    unitDisplay: "short",
  });
  const time = Number.isFinite(value) ? unit.format(value) : formatCount(0, language);
  return language === "ja" ? `${t.left} ${time}` : `${time} ${t.left}`;
}
