import { LOCALES } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Button } from "./Button.tsx";

/** What happened, what is kept, what to do next. */
export function FailureNote() {
  const { t, language } = useTexts();
  const failure = usePage((state) => state.failure);
  const dismiss = usePage((state) => state.dismiss);
  const isLost = usePage((state) => state.model.status === "lost");
  const reload = usePage((state) => state.reload);
  if (!failure && !isLost) return null;
  return (
    <section
      role={failure ? "alert" : undefined}
      className="rounded-md border border-failure bg-failure-wash px-4 py-3 text-sm"
    >
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0 flex-1 basis-64">
          <h2 className="font-semibold text-failure">{failure ? t.errorHeading : t.modelLost}</h2>
          {failure ? <p>{LOCALES[language].errors[failure.code]}</p> : null}
        </div>
        <div className="flex gap-2">
          {isLost ? (
            <Button kind="primary" onClick={() => void reload()}>
              {t.modelReload}
            </Button>
          ) : null}
          {failure ? <Button onClick={dismiss}>{t.dismiss}</Button> : null}
        </div>
      </div>
      {failure ? (
        <details className="mt-2 text-xs text-quiet">
          <summary className="cursor-pointer">{t.details}</summary>
          <code className="mt-1 block break-words" lang="en">
            {failure.code}: {failure.message}
          </code>
        </details>
      ) : null}
    </section>
  );
}
