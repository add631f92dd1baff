import { defineTexts } from "../i18n/define-texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { lazy, Suspense, useDeferredValue } from "react";

const load = async () => ({ default: (await import("./MarkdownBlocks.tsx")).MarkdownBlocks });
const MarkdownBlocks = lazy(load);

/** Fetches the parser before the first answer needs it. */
export function preloadMarkdown(): void {
  // A failure shows where the parser is needed.
  load().catch(() => undefined);
}

const texts = defineTexts({ en: { code: "Code", table: "Table" }, ja: { code: "コード", table: "表" } });

/** Longer texts stay plain: nobody reads them for their layout. */
const MAX_CHARS = 200_000;

/** Shown in the first moment already. */
const AT_ONCE_CHARS = 4000;

interface MarkdownProps {
  readonly text: string;
  readonly isStreaming: boolean;
}

/** A model's text as markdown with formulas; as it was written until the parser is there. */
export function Markdown({ text, isStreaming }: MarkdownProps) {
  const { t } = usePartTexts(texts);
  // A long text is drawn in the pauses of what is more urgent, block by block.
  const shown = useDeferredValue(text, text.length > AT_ONCE_CHARS ? "" : text);
  const plain = <div className="whitespace-pre-wrap">{text}</div>;
  if (text.length > MAX_CHARS) return plain;
  return (
    <Suspense fallback={plain}>
      <div className={`markdown flex flex-col gap-3 ${isStreaming ? "caret-last" : ""}`}>
        <MarkdownBlocks text={shown} labels={t} isStreaming={isStreaming} />
      </div>
    </Suspense>
  );
}
