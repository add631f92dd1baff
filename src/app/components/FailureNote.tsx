import type { Failure, SmallerLoad } from "../failure.ts";
import { formatCount } from "../format.ts";
import { LOCALES } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Button } from "./Button.tsx";

/** What has failed in the playground, or that its model is gone. */
export function FailureNote() {
  const { t, language } = useTexts();
  const failure = usePage((state) => state.failure);
  const dismiss = usePage((state) => state.dismiss);
  const lostName = usePage(({ model }) => (model.status === "lost" ? model.name : undefined));
  const reload = usePage((state) => state.reload);
  const again =
    lostName === undefined ? null : (
      <Button kind={failure?.offer ? "plain" : "primary"} onClick={() => void reload()}>
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
    <FailureBox
      heading={t.errorHeading}
      sentence={LOCALES[language].errors[failure.code]}
      failure={failure}
      actions={
        <>
          {failure.offer ? <OfferButton offer={failure.offer} /> : null}
          {again}
          <Button onClick={dismiss}>{t.dismiss}</Button>
        </>
      }
    />
  );
}

/** Loads the model that did not fit in the way that does. */
function OfferButton({ offer: { format, contextTokens } }: { readonly offer: SmallerLoad }) {
  const { t, language } = useTexts();
  const takeOffer = usePage((state) => state.takeOffer);
  const tokens = `${formatCount(contextTokens, language)} ${t.tokens}`;
  return (
    <Button kind="primary" onClick={() => void takeOffer()}>
      {t.loadSmaller} {[...(format ? [format] : []), tokens].join(" · ")}
    </Button>
  );
}

interface FailureBoxProps {
  readonly heading: string;
  /** What happened, what is kept, what to do next. */
  readonly sentence: string;
  readonly failure: Failure;
  readonly actions: React.ReactNode;
}

/** A failure as every page shows it: the sentence, the next steps, the detail folded away. */
export function FailureBox({ heading, sentence, failure, actions }: FailureBoxProps) {
  const { t } = useTexts();
  return (
    <section role="alert" className="rounded-md border border-failure bg-failure-wash px-4 py-3 text-sm">
      <div className="flex flex-wrap items-start justify-between gap-3">
        <div className="min-w-0 flex-1 basis-64">
          <h2 className="font-semibold text-failure">{heading}</h2>
          <p>{sentence}</p>
        </div>
        <div className="flex flex-wrap gap-2">{actions}</div>
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
