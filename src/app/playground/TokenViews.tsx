import { QuietButton } from "../components/QuietButton.tsx";
import type { Language } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import { heatBounds, HEAT_STEPS, TOKEN_VIEWS } from "./heat.ts";
import type { TokenView } from "./heat.ts";
import { usePlayTexts } from "./texts.ts";

/** Chooses whether replies show their text or their tokens, and what the tokens' colour means. */
export function TokenViews() {
  const { t } = usePlayTexts();
  const view = usePage((state) => state.tokenView);
  const setTokenView = usePage((state) => state.setTokenView);
  const names: Record<TokenView, string> = {
    text: t.viewText,
    probability: t.viewProbability,
    entropy: t.viewEntropy,
  };
  return (
    <span role="group" aria-label={t.view} className="flex flex-wrap items-center gap-x-4">
      {TOKEN_VIEWS.map((one) => (
        <QuietButton key={one} aria-pressed={one === view} onClick={() => setTokenView(one)}>
          {names[one]}
        </QuietButton>
      ))}
    </span>
  );
}

export function Legend({ view }: { readonly view: Exclude<TokenView, "text"> }) {
  const { t, language } = usePlayTexts();
  const bounds = heatBounds(view).map((bound) => boundText(bound, view, language));
  const below = view === "entropy" ? "<" : ">";
  const beyond = view === "entropy" ? "≥" : "<";
  return (
    <div className="flex flex-col gap-1 text-xs text-quiet">
      <p>
        {view === "entropy" ? t.legendEntropy : t.legendProbability} {t.tokensHint}
      </p>
      <p className="flex flex-wrap gap-1">
        {Array.from({ length: HEAT_STEPS }, (_, step) => (
          <span key={step} data-heat={step} className="token border border-line px-1.5 text-ink">
            {step === 0 ? `${below} ${bounds[0]}` : `${beyond} ${bounds[step - 1]}`}
          </span>
        ))}
      </p>
    </div>
  );
}

function boundText(bound: number, view: TokenView, language: Language): string {
  return new Intl.NumberFormat(language, view === "probability" ? { style: "percent" } : {}).format(bound);
}
