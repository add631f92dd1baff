import { useEffect, useId, useRef } from "react";
import type { CompletionRecord } from "../../engine/protocol.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import { Button } from "../components/Button.tsx";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { AdvantageBar } from "./AdvantageBar.tsx";
import { formatSigned, formatValue } from "./format-value.ts";
import { textOf } from "./groups.ts";
import { signOf } from "./scales.ts";
import { SIGN_TEXT } from "./sign-styles.ts";
import { chartTexts } from "./texts.ts";
import { TokenText } from "./TokenText.tsx";

export interface CompletionInspectorProps {
  readonly completion: CompletionRecord;
  readonly header: RunHeader;
  readonly onClose: () => void;
  /** Leads to where `log_tokens` can be turned on. */
  readonly onOpenSettings?: (() => void) | undefined;
}

/** One completion: what it was rewarded for, what it thought and answered, and what became of each token. */
export function CompletionInspector({ completion, header, onClose, onOpenSettings }: CompletionInspectorProps) {
  const { t, language } = usePartTexts(chartTexts);
  const heading = useRef<HTMLHeadingElement>(null);
  const titleId = useId();
  const { thought, answer } = textOf(completion);
  // The keyboard goes on where the click has led.
  useEffect(() => heading.current?.focus(), [completion]);
  useEffect(() => {
    const close = ({ key, defaultPrevented }: KeyboardEvent): void => {
      if (key === "Escape" && !defaultPrevented) onClose();
    };
    addEventListener("keydown", close);
    return () => removeEventListener("keydown", close);
  }, [onClose]);
  const value = (number: number | null | undefined): string =>
    number === null || number === undefined ? t.notApplicable : formatValue(number, "small", language);
  const facts: readonly (readonly [name: string, value: string, color: string])[] = [
    [t.rewardColumn, value(completion.reward), "text-reward font-semibold"],
    ...Object.entries(completion.rewards).map(([name, part]) => [name, value(part), "text-reward"] as const),
    [t.length, formatCount(completion.length, language), ""],
    [t.finish, completion.finish_reason === "eos" ? t.finishEos : t.finishLength, ""],
    ...(completion.kl === undefined ? [] : [[t.kl, value(completion.kl), "text-kl"] as const]),
    ...(completion.clip_fraction === undefined
      ? []
      : [[t.clip, formatValue(completion.clip_fraction, "percent", language), ""] as const]),
  ];
  return (
    <section aria-labelledby={titleId} className="flex flex-col gap-4 p-4">
      <div className="flex items-baseline justify-between gap-2">
        <h3 id={titleId} ref={heading} tabIndex={-1} className="text-xl font-semibold outline-none">
          {t.completion}
        </h3>
        <Button onClick={onClose}>{t.close}</Button>
      </div>
      <p className="text-sm break-words whitespace-pre-wrap">
        <span className="block text-xs text-quiet">
          {t.step} {formatCount(completion.step, language)} · {t.prompt}
        </span>
        {completion.prompt}
      </p>
      <p className="flex items-center gap-3">
        <span className="text-sm">{t.advantage}</span>
        <AdvantageBar advantage={completion.advantage} reach={Math.max(2, Math.abs(completion.advantage))} />
        <span className={`font-semibold ${SIGN_TEXT[signOf(completion.advantage)]}`}>
          {formatSigned(completion.advantage, language)}
        </span>
      </p>
      <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-0.5 text-sm">
        {facts.map(([name, text, color]) => (
          <div key={name} className="contents">
            <dt className="text-quiet">{name}</dt>
            <dd className={color}>{text}</dd>
          </div>
        ))}
      </dl>
      {thought === "" ? null : (
        <div className="border-l-4 border-thought bg-thought-wash px-3 py-2">
          <h4 className="text-xs text-quiet">{t.thought}</h4>
          <p className="font-mono text-sm break-words whitespace-pre-wrap">{thought}</p>
        </div>
      )}
      <div className="border-l-4 border-line px-3">
        <h4 className="text-xs text-quiet">{t.answer}</h4>
        <p className="font-mono break-words whitespace-pre-wrap">{answer === "" ? t.noAnswer : answer}</p>
      </div>
      <div>
        <h4 className="mb-1 font-semibold">{t.tokensHeading}</h4>
        {completion.tokens ? (
          <TokenText key={`${completion.step} ${completion.completion}`} completion={completion} header={header} />
        ) : (
          <div className="flex flex-col items-start gap-2 text-sm text-quiet">
            <p>{t.noTokens}</p>
            {onOpenSettings ? <Button onClick={onOpenSettings}>{t.openSettings}</Button> : null}
          </div>
        )}
      </div>
    </section>
  );
}
