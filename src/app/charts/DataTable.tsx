import { useState } from "react";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { formatCount } from "../format.ts";
import { chartTexts } from "./texts.ts";

/** Rows that are shown at once: a page of tens of thousands would be slow. */
const ROWS = 500;

interface DataTableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly steps: readonly number[];
  /** By column, then by step; null where there is none. */
  readonly values: readonly (readonly (number | null)[])[];
  readonly format: (value: number) => string;
}

/** What a chart draws, as numbers; the newest step first. */
export function DataTable({ caption, columns, steps, values, format }: DataTableProps) {
  const { t, language } = usePartTexts(chartTexts);
  const [open, setOpen] = useState(false);
  const [most, setMost] = useState(ROWS);
  const first = Math.max(0, steps.length - most);
  return (
    <details className="text-xs" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className="w-fit cursor-pointer text-quiet hover:text-ink">{t.showTable}</summary>
      {open ? (
        <div role="region" tabIndex={0} aria-label={caption} className="mt-1 max-h-56 overflow-auto border border-line">
          <table className="w-full text-right">
            <caption className="sr-only">{caption}</caption>
            <thead className="sticky top-0 bg-bubble">
              <tr>
                {[t.step, ...columns].map((column, i) => (
                  <th key={i} scope="col" className="px-2 py-1 font-semibold">
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {steps
                .slice(first)
                .map((step, row) => (
                  <tr key={step} className="border-t border-line">
                    <th scope="row" className="px-2 py-0.5 font-normal">
                      {formatCount(step, language)}
                    </th>
                    {values.map((column, i) => {
                      const value = column[first + row] ?? null;
                      return (
                        <td key={i} className="px-2 py-0.5">
                          {value === null ? "–" : format(value)}
                        </td>
                      );
                    })}
                  </tr>
                ))
                .toReversed()}
            </tbody>
          </table>
          {first > 0 ? (
            <button type="button" className="w-full px-2 py-1 text-left underline" onClick={() => setMost(most + ROWS)}>
              {t.earlierSteps}
            </button>
          ) : null}
        </div>
      ) : null}
    </details>
  );
}
