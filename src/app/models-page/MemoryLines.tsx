import type { MemoryAdvice, MemoryNeed } from "../../engine/protocol.ts";
import { Button } from "../components/Button.tsx";
import { formatBytes, formatCount } from "../format.ts";
import type { Language } from "../i18n/texts.ts";
import { useTexts } from "../use-texts.ts";
import { useMemoryTexts } from "./memory-texts.ts";
import type { MemoryTexts } from "./memory-texts.ts";
import type { LoadChoice } from "./plan-store.ts";

interface MemoryLinesProps {
  /** Undefined until it is known; null for what cannot be judged. */
  readonly advice: MemoryAdvice | null | undefined;
  /** What it is about, for those who hear a button alone. */
  readonly label: string;
  readonly onTake: (choice: LoadChoice) => void;
}

/** What a model would take of this machine, whether that fits, and what would. */
export function MemoryLines({ advice, label, onTake }: MemoryLinesProps) {
  const { language } = useTexts();
  const t = useMemoryTexts();
  if (advice === undefined) return <p className="text-xs text-quiet">{t.planning}</p>;
  if (advice === null) return <p className="text-xs text-quiet">{t.unplanned}</p>;
  const { reason, offer, memory, longestContext } = advice;
  // Japanese sentences follow each other without a space.
  const gap = language === "ja" ? "" : " ";
  const isLast = !offer && reason?.kind !== "feature";
  const fitting = [
    t.fits,
    ...(longestContext > advice.contextTokens ? [t.fitsUpTo(formatCount(longestContext, language))] : []),
  ];
  return (
    <>
      <p className="text-xs text-quiet">
        {partsText(advice, t, language)}
        {advice.runtime === "onnx-wasm" ? ` · ${t.onProcessor}` : null}
      </p>
      {reason ? (
        <div className="flex flex-wrap items-center gap-2 text-xs">
          <p className="text-failure">
            {[t.tooLarge, reasonText(reason, memory, t, language), ...(isLast ? [t.nothingSmaller] : [])].join(gap)}
          </p>
          {offer ? (
            <Button
              className="px-2 py-1 text-xs whitespace-normal"
              aria-label={`${needText(offer, t, language)}: ${label}`}
              onClick={() => onTake(offer)}
            >
              {needText(offer, t, language)}
            </Button>
          ) : null}
        </div>
      ) : (
        <p className="text-xs">{fitting.join(gap)}</p>
      )}
    </>
  );
}

/** "1.5 GB: weights 1.1 GB, cache 235 MB for 4,096 tokens, workspace 58 MB" */
function partsText({ memory, contextTokens }: MemoryNeed, t: MemoryTexts, language: Language): string {
  const bytes = (value: number): string => formatBytes(value, language);
  const tokens = formatCount(contextTokens, language);
  const { total, weights, kvCache, workspace } = memory;
  return t.memoryParts({
    total: bytes(total),
    weights: bytes(weights),
    cache: bytes(kvCache),
    tokens,
    workspace: bytes(workspace),
  });
}

/** "q4 · 2,048 tokens" */
export function needText({ format, contextTokens }: LoadChoice, t: MemoryTexts, language: Language): string {
  const tokens = t.planTokens(formatCount(contextTokens, language));
  return format ? `${format} · ${tokens}` : tokens;
}

type Reason = NonNullable<MemoryAdvice["reason"]>;

function reasonText(
  { kind, bytes, limit }: Reason,
  { peak }: MemoryAdvice["memory"],
  t: MemoryTexts,
  language: Language,
): string {
  if (kind === "context") return t.reasons.context(formatCount(bytes, language), formatCount(limit, language));
  const needed = kind === "memory" ? peak : bytes;
  return t.reasons[kind](formatBytes(needed, language), formatBytes(limit, language));
}
