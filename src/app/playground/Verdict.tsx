import { usePlayTexts } from "./texts.ts";

/** Right or wrong, by sign, colour and word; nothing where nobody knows. */
export function Verdict({ isRight }: { readonly isRight: boolean | undefined }) {
  const { t } = usePlayTexts();
  if (isRight === undefined) return null;
  return (
    <span className={`text-xs font-semibold whitespace-nowrap ${isRight ? "text-correct-ink" : "text-quiet"}`}>
      {isRight ? `✓ ${t.right}` : `✗ ${t.wrong}`}
    </span>
  );
}
