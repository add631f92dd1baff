import { useId } from "react";
import type { FormEvent, KeyboardEvent } from "react";
import type { Language } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import type { ModelState } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Button } from "../components/Button.tsx";

export function Composer() {
  const { t, language } = useTexts();
  const id = useId();
  const written = usePage((state) => state.draft);
  const model = usePage((state) => state.model);
  const isRunning = usePage((state) => state.running !== undefined);
  const hasTurns = usePage((state) => state.turns.length > 0);
  const { ask, stop, clear, setDraft } = usePage.getState();
  // Until the reader writes, an example stands ready to be sent.
  const draft = written ?? (hasTurns ? "" : exampleOf(model, language));
  const canAsk = model.status === "ready" && model.model.hasTokenizer && model.model.hasTemplate;

  const submit = (event: FormEvent | KeyboardEvent): void => {
    event.preventDefault();
    const question = draft.trim();
    // Without a model the store says so; that there is no template, or a reply in progress, is said beside the button.
    if (question === "" || (model.status === "ready" && !canAsk) || isRunning) return;
    void ask(question);
  };

  return (
    <form onSubmit={submit} className="flex flex-col gap-2">
      {model.status === "ready" && !canAsk ? <p className="text-sm text-quiet">{t.noTemplate}</p> : null}
      <label htmlFor={id} className="sr-only">
        {t.question}
      </label>
      <textarea
        id={id}
        rows={2}
        className="w-full resize-y rounded-md border border-edge bg-sheet px-3 py-2"
        placeholder={t.questionPlaceholder}
        value={draft}
        onChange={({ target }) => setDraft(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey && !isComposing(event)) submit(event);
        }}
      />
      <div className="flex items-center justify-between gap-2">
        <Button disabled={!hasTurns || isRunning} onClick={clear}>
          {t.clear}
        </Button>
        <span className="hidden text-xs text-quiet sm:block">{t.sendHint}</span>
        {isRunning ? (
          <Button onClick={stop}>{t.stop}</Button>
        ) : (
          <Button kind="primary" type="submit" disabled={!canAsk || draft.trim() === ""}>
            {t.ask}
          </Button>
        )}
      </div>
    </form>
  );
}

/** Safari ends the composition before the key that ended it, which then has the code of an unfinished one. */
const COMPOSING_KEY = 229;

/** While Japanese text is composed, Enter chooses a candidate and must not send. */
function isComposing({ nativeEvent, keyCode }: KeyboardEvent): boolean {
  return nativeEvent.isComposing || keyCode === COMPOSING_KEY;
}

function exampleOf(model: ModelState, language: Language): string {
  return model.status === "ready" ? (model.choice.builtIn?.examples[0]?.[language] ?? "") : "";
}
