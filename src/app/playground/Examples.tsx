import { useId } from "react";
import { usePage } from "../store.ts";
import { usePlayTexts } from "./texts.ts";

/** Questions that suit the model; a click asks one. */
export function Examples() {
  const { t, language } = usePlayTexts();
  const heading = useId();
  const model = usePage((state) => state.model);
  const isRunning = usePage((state) => state.running !== undefined);
  const ask = usePage((state) => state.ask);
  const examples = model.status === "ready" ? (model.choice.builtIn?.examples ?? []) : [];
  if (examples.length === 0) return null;
  return (
    <section aria-labelledby={heading} className="flex flex-col gap-2">
      <h3 id={heading}>{t.examples}</h3>
      <ul className="flex flex-wrap gap-2">
        {examples.map(({ [language]: question }) => (
          <li key={question}>
            <button
              type="button"
              disabled={isRunning}
              className="rounded-full border border-edge bg-sheet px-3 py-1 text-left text-ink enabled:hover:border-ink"
              onClick={() => void ask(question)}
            >
              {question}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
