import { LOCALES } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Button } from "./Button.tsx";

/** What happened, what is kept, what to do next. */
export function FailureNote() {
  const { t, language } = useTexts();
  const failure = usePage((state) => state.failure);
  const dismiss = usePage((state) => state.dismiss);
  const lostName = usePage(({ model }) => (model.status === "lost" ? model.name : undefined));
  const reload = usePage((state) => state.reload);
  const again =
    lostName === undefined ? null : (
      <Button kind="primary" onClick={() => void reload()}>
        {t.modelReload}
      </Button>
    );
  if (!failure) {
    if (!again) return null;
    return (
      <div className="flex flex-wrap items-center justify-between gap-3 text-sm">
        <p>
          {lostName} {t.modelLost}
        </p>
        {again}
      </div>
    );
  }
  return (
    <section role="alert" className="rounded-md border border-failure bg-failure-wash px-4 py-3 text-sm">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0 flex-1 basis-64">
          <h2 className="font-semibold text-failure">{t.errorHeading}</h2>
          <p>{LOCALES[language].errors[failure.code]}</p>
        </div>
        <div className="flex gap-2">
          {again}
          <Button onClick={dismiss}>{t.dismiss}</Button>
        </div>
      </div>
      <details className="mt-2 text-xs text-quiet">
        <summary className="cursor-pointer">{t.details}</summary>
        <code className="mt-1 block break-words" lang="en">
          {failure.code}: {failure.message}
        </code>
      </details>
    </section>
  );
}
