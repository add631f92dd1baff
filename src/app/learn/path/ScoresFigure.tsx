import { use } from "react";
import { formatDecimal } from "../../format.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { OwnRunContext, startAndEnd } from "../own-run.ts";
import { Figure } from "../parts/Section.tsx";
import { pathTexts } from "./texts.ts";

interface Score {
  readonly model: string;
  /** Percent of single samples. */
  readonly pass: number;
  /** Percent of votes of 64. */
  readonly cons?: number;
  readonly note?: "beforeRl" | "rlOnly";
}

/** DeepSeek-R1 (arXiv:2501.12948v1), tables 2, 4, 5 and 6, and §2.2.4 for the start. */
const SCORES: readonly Score[] = [
  { model: "DeepSeek-V3-Base", pass: 15.6, note: "beforeRl" },
  { model: "R1-Zero", pass: 71.0, cons: 86.7, note: "rlOnly" },
  { model: "R1", pass: 79.8 },
  { model: "Distill-Qwen-1.5B", pass: 28.9, cons: 52.7 },
  { model: "Distill-Qwen-7B", pass: 55.5, cons: 83.3 },
  { model: "Distill-Llama-8B", pass: 50.4, cons: 80.0 },
  { model: "Distill-Qwen-14B", pass: 69.7, cons: 80.0 },
  { model: "Distill-Qwen-32B", pass: 72.6, cons: 83.3 },
  { model: "Zero-Qwen-32B", pass: 47.0, cons: 60.0, note: "rlOnly" },
  { model: "Distill-Llama-70B", pass: 70.0, cons: 86.7 },
];

/** The paper's accuracies, and the reader's own run on the same axis. */
export function ScoresFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(pathTexts);
  const run = use(OwnRunContext);
  const own = run ? startAndEnd(run, "eval_accuracy") : undefined;
  return (
    <Figure title={`${number} ${t.barFigure}`} caption={t.barCaption}>
      <table className="w-full text-sm">
        <thead className="sr-only">
          <tr>
            <th scope="col">{t.barFigure}</th>
            <th scope="col">pass@1</th>
            <th scope="col">{t.vote}</th>
          </tr>
        </thead>
        <tbody>
          {SCORES.map(({ model, pass, cons, note }) => (
            <Row key={model} name={model} note={note ? t[note] : ""} percent={pass} tick={cons} language={language} />
          ))}
        </tbody>
        {own ? (
          <tbody className="border-t border-line">
            <Row name={t.ownTask} note={t.ownStart} percent={100 * own.start} language={language} isOwn />
            <Row name={t.ownTask} note={t.ownEnd} percent={100 * own.end} language={language} isOwn />
          </tbody>
        ) : null}
      </table>
      <p aria-hidden className="mt-2 text-right text-xs text-quiet">
        <span className="mr-1.5 inline-block h-3 w-0.5 bg-ink align-[-0.1em]" />
        {t.vote}
      </p>
    </Figure>
  );
}

interface RowProps {
  readonly name: string;
  readonly note: string;
  readonly percent: number;
  readonly tick?: number | undefined;
  readonly language: "en" | "ja";
  readonly isOwn?: boolean;
}

function Row({ name, note, percent, tick, language, isOwn = false }: RowProps) {
  return (
    <tr>
      <th scope="row" className="w-[38%] py-1 pr-3 text-left font-normal sm:w-[34%]">
        <span className="block leading-tight">{name}</span>
        {note ? <span className="block text-xs leading-tight text-quiet">{note}</span> : null}
      </th>
      <td className="relative py-1 pr-14">
        <strong className="absolute top-1/2 right-0 -translate-y-1/2 font-semibold">
          {formatDecimal(percent, language)}
        </strong>
        <span aria-hidden className="relative block h-4 rounded-sm bg-bubble">
          <span
            className={`absolute inset-y-0 left-0 rounded-sm ${isOwn ? "bg-accent" : "bg-reward"}`}
            style={{ width: `${percent}%` }}
          />
          {tick === undefined ? null : (
            <span className="absolute -inset-y-0.5 w-0.5 bg-ink" style={{ left: `${tick}%` }} />
          )}
        </span>
      </td>
      <td className="sr-only">{tick === undefined ? "–" : formatDecimal(tick, language)}</td>
    </tr>
  );
}
