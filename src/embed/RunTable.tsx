import { formatCount, formatDecimal } from "../app/format.ts";
import { usePartTexts } from "../app/i18n/define-texts.ts";
import type { RunData } from "../app/runs/run-data.ts";
import { embedTexts } from "./texts.ts";

/** TRL's names. */
const METRICS = ["reward", "reward_std", "kl", "entropy"] as const;
const ROWS = 12;

/** The newest steps of a run in figures. */
export function RunTable({ run }: { readonly run: RunData }) {
  const { t, language } = usePartTexts(embedTexts);
  const steps = run.steps.slice(-ROWS).toReversed();
  return (
    <table className="w-full text-right text-sm">
      <thead>
        <tr className="text-xs text-quiet">
          <th scope="col" className="text-left font-normal">
            {t.steps}
          </th>
          {METRICS.map((name) => (
            <th key={name} scope="col" className="font-mono font-normal">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {steps.map(({ step, metrics }) => (
          <tr key={step} className="border-t border-line">
            <th scope="row" className="text-left font-normal">
              {formatCount(step, language)}
            </th>
            {METRICS.map((name) => (
              <td key={name}>{metrics[name] === undefined ? "–" : formatDecimal(metrics[name], language, 3)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
