import type { TrainWarningCode, TrainWarningEvent } from "../../engine/protocol.ts";
import { formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { chartTexts } from "./texts.ts";

const SENTENCES = {
  DEAD_GROUPS: "warnDEAD_GROUPS",
  NON_FINITE: "warnNON_FINITE",
  REWARD_FAILED: "warnREWARD_FAILED",
  SAMPLING_MISMATCH: "warnSAMPLING_MISMATCH",
  OPTION_IGNORED: "warnOPTION_IGNORED",
  METRIC_NON_FINITE: "warnMETRIC_NON_FINITE",
  NO_REWARD: "warnNO_REWARD",
  REWARD_NOT_APPLICABLE: "warnREWARD_NOT_APPLICABLE",
  NOTHING_SCORED: "warnNOTHING_SCORED",
  ROWS_DROPPED: "warnROWS_DROPPED",
  ROWS_TRUNCATED: "warnROWS_TRUNCATED",
  THOUGHT_NOT_CLOSED: "warnTHOUGHT_NOT_CLOSED",
} as const satisfies Readonly<Record<TrainWarningCode, keyof typeof chartTexts.en>>;

/** What the run warned of, each kind once, with the step of the latest. */
export function WarningList({ warnings }: { readonly warnings: readonly TrainWarningEvent[] }) {
  const { t, language } = usePartTexts(chartTexts);
  const kinds = new Map<TrainWarningCode, TrainWarningEvent[]>();
  for (const warning of warnings) {
    const found = kinds.get(warning.code);
    if (found) found.push(warning);
    else kinds.set(warning.code, [warning]);
  }
  if (kinds.size === 0) return null;
  return (
    <section aria-label={t.warnings} className="rounded-md border border-failure bg-failure-wash px-3 py-2 text-sm">
      <ul className="flex flex-col gap-1">
        {[...kinds].map(([code, events]) => {
          const latest = events.at(-1);
          return (
            <li key={code}>
              <span aria-hidden className="text-failure">
                ▲{" "}
              </span>
              {t[SENTENCES[code]]}{" "}
              <span className="text-xs text-quiet">
                {t.step} {formatCount(latest?.step ?? 0, language)}
                {events.length > 1 ? ` (×${formatCount(events.length, language)})` : ""} ·{" "}
                <code lang="en">{latest?.message}</code>
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
