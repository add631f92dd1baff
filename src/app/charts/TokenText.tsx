import { useId, useMemo, useState } from "react";
import type { CompletionRecord } from "../../engine/protocol.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import { Choice } from "../components/Choice.tsx";
import { formatValue } from "./format-value.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { stepKeys } from "./step-keys.ts";
import { chartTexts } from "./texts.ts";
import { measuresOf, tokenKl, tokenShades } from "./token-shades.ts";
import type { TokenMeasure } from "./token-shades.ts";

// Enough for a thought of the paper's length in the chart's models; more would stall the page.
const MOST_TOKENS = 4096;

const MEASURE_TEXTS = {
  ratio: ["byRatio", "byRatioHelp"],
  kl: ["byKl", "byKlHelp"],
  entropy: ["byEntropy", "byEntropyHelp"],
} as const satisfies Readonly<Record<TokenMeasure, readonly (keyof typeof chartTexts.en)[]>>;

interface TokenTextProps {
  readonly completion: CompletionRecord;
  readonly header: RunHeader;
}

/** A completion token by token, coloured by what moved it; each token's numbers on hover and by the arrow keys. */
export function TokenText({ completion, header }: TokenTextProps) {
  const { t, language } = usePartTexts(chartTexts);
  const listId = useId();
  const measures = measuresOf(completion);
  const [chosen, setChosen] = useState<TokenMeasure>("ratio");
  const [at, setAt] = useState<number>();
  const measure = measures.includes(chosen) ? chosen : "ratio";
  const estimator = header.kind === "grpo" ? header.config.kl_estimator : "k3";
  const tokens = useMemo(() => (completion.tokens ?? []).slice(0, MOST_TOKENS), [completion]);
  const shades = useMemo(() => tokenShades(completion, measure, estimator), [completion, measure, estimator]);
  // A part of a character has no text of its own.
  const pieceOf = (i: number): string => tokens[i]?.text || `#${tokens[i]?.id ?? 0}`;
  const token = at === undefined ? undefined : tokens[at];
  const number = (value: number): string => (Number.isFinite(value) ? formatValue(value, "small", language) : "–");
  return (
    <div className="flex flex-col gap-2 text-sm">
      <div className="flex items-center gap-2">
        <span>{t.colourBy}</span>
        <Choice
          label={t.colourBy}
          value={measure}
          options={measures.map((value) => ({ value, text: t[MEASURE_TEXTS[value][0]] }))}
          onChoose={setChosen}
        />
      </div>
      <p className="text-xs text-quiet">{t[MEASURE_TEXTS[measure][1]]}</p>
      <div
        id={listId}
        role="listbox"
        tabIndex={0}
        aria-label={t.tokensHeading}
        aria-activedescendant={at === undefined ? undefined : `${listId}-${at}`}
        className="max-h-96 overflow-y-auto rounded-md border border-line bg-sheet p-2 leading-7 break-words whitespace-pre-wrap"
        onKeyDown={(press) => {
          const next = stepKeys(press.key, at ?? -1, 0, tokens.length - 1);
          if (next === undefined) return;
          press.preventDefault();
          setAt(next);
          document.getElementById(`${listId}-${next}`)?.scrollIntoView({ block: "nearest" });
        }}
        onPointerOver={({ target }) => {
          const index = target instanceof HTMLElement ? Number(target.dataset["token"] ?? NaN) : NaN;
          if (Number.isInteger(index)) setAt(index);
        }}
      >
        {tokens.map((_, i) => {
          const piece = pieceOf(i);
          return (
            <span
              key={i}
              id={`${listId}-${i}`}
              role="option"
              aria-selected={i === at}
              aria-label={nameOf(piece, t)}
              data-token={i}
              className="rounded-sm py-0.5 font-mono text-ink aria-selected:outline-2 aria-selected:outline-ink"
              style={{ background: shades[i] }}
            >
              {piece}
            </span>
          );
        })}
      </div>
      <output className="min-h-16 text-xs">
        {token && at !== undefined ? (
          <>
            <code className="mr-2 rounded-sm bg-bubble px-1 text-sm">{nameOf(pieceOf(at), t)}</code>
            {t.ratio} {number(token.ratio)} · {t.logp} {number(token.logp)} ({number(token.old_logp)}) · {t.byEntropy}{" "}
            {number(token.entropy)}
            {token.ref_logp === undefined ? null : ` · ${t.byKl} ${number(tokenKl(token, estimator))}`}
          </>
        ) : (
          <span className="text-quiet">{t.tokenHint}</span>
        )}
      </output>
      {(completion.tokens?.length ?? 0) > tokens.length ? (
        <p className="text-xs text-quiet">
          {t.tokensShown} {tokens.length}
        </p>
      ) : null}
    </div>
  );
}

/** A token's name for those who cannot see it: white space has none of its own. */
function nameOf(piece: string, t: (typeof chartTexts)["en"]): string {
  if (piece.includes("\n") && piece.trim() === "") return t.lineBreak;
  return piece.trim() === "" ? t.space : piece.trim();
}
