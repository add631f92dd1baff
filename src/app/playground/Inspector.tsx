import { QuietButton } from "../components/QuietButton.tsx";
import { formatCount, formatDecimal, formatPercent } from "../format.ts";
import type { Language } from "../i18n/texts.ts";
import { usePage } from "../store.ts";
import { usePlayTexts } from "./texts.ts";
import type { PlayTexts } from "./texts.ts";
import { tokenAt } from "./token-log.ts";
import type { TokenInfo } from "./token-log.ts";

/** One token: how probable it was, how open the choice, and what else there was. */
export function Inspector() {
  const { t, language } = usePlayTexts();
  const place = usePage((state) => state.inspected);
  const reply = usePage(({ turns, inspected }) =>
    inspected ? turns.find(({ id }) => id === inspected.turn)?.replies[inspected.sample] : undefined,
  );
  const inspect = usePage((state) => state.inspect);
  const token = place && reply ? tokenAt(reply.tokens, place.index) : undefined;
  if (!place || !token) return null;
  return (
    <aside
      aria-label={t.inspector}
      className="flex max-h-[45dvh] flex-col gap-4 overflow-y-auto border-t border-line bg-sheet p-4 lg:max-h-none lg:w-72 lg:flex-none lg:border-t-0 lg:border-l"
    >
      <div className="flex items-start justify-between gap-2">
        <h2 className="min-w-0 font-mono text-xl font-semibold break-all">{nameOf(token.piece ?? token.text, t)}</h2>
        <QuietButton onClick={() => inspect(undefined)}>{t.close}</QuietButton>
      </div>
      <p className="text-xs text-quiet">
        {t.position} {formatCount(place.index + 1, language)} · {t.tokenId} {token.id}
      </p>
      {token.forced ? <p className="text-sm">{token.forced === "think-min" ? t.forcedMin : t.forcedMax}</p> : null}
      <dl className="flex flex-col gap-3 text-sm">
        <Figure
          name={t.probability}
          value={`${percent(token.logprob, language)} (log ${formatDecimal(token.logprob, language, 2)})`}
          help={t.probabilityHelp}
        />
        <Figure
          name={t.entropy}
          value={`${formatDecimal(token.entropy, language, 2)} ${t.nats}`}
          help={t.entropyHelp}
        />
      </dl>
      <Alternatives token={token} />
    </aside>
  );
}

function Figure({ name, value, help }: { readonly name: string; readonly value: string; readonly help: string }) {
  return (
    <div>
      <dt className="text-quiet">{name}</dt>
      <dd className="font-semibold">{value}</dd>
      <dd className="text-xs text-quiet">{help}</dd>
    </div>
  );
}

function Alternatives({ token: { id, alternatives } }: { readonly token: TokenInfo }) {
  const { t, language } = usePlayTexts();
  if (!alternatives) return <p className="text-xs text-quiet">{t.alternativesNone}</p>;
  return (
    <section className="flex flex-col gap-1.5 text-sm">
      <h3 className="text-quiet">{t.alternatives}</h3>
      <ol className="flex flex-col gap-1.5">
        {alternatives.map((one) => (
          <li key={one.id}>
            <div className="flex justify-between gap-2">
              <span className={`min-w-0 truncate font-mono ${one.id === id ? "font-semibold" : ""}`}>
                {nameOf(one.piece, t)}
                {one.id === id ? <span className="font-sans text-xs text-quiet"> · {t.chosen}</span> : null}
              </span>
              <span>{percent(one.logprob, language)}</span>
            </div>
            <div className="h-1 bg-line">
              <div className="h-1 bg-ink" style={{ width: `${100 * Math.exp(one.logprob)}%` }} />
            </div>
          </li>
        ))}
      </ol>
    </section>
  );
}

/** A token's text so that it can be seen: spaces and line ends too. */
function nameOf(piece: string, t: PlayTexts): string {
  if (/^ +$/.test(piece)) return `␣ (${t.space})`;
  if (/^\n+$/.test(piece)) return `↵ (${t.newline})`;
  return piece.replaceAll("\n", "↵").replaceAll(" ", "␣") || "·";
}

function percent(logprob: number, language: Language): string {
  const value = Math.exp(logprob);
  const digits = value < 0.1 ? 2 : 1;
  return formatPercent(value, language, digits);
}
