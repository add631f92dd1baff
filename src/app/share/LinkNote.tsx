import { Button } from "../components/Button.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useLinkProblem } from "./link.ts";
import type { LinkProblem } from "./state-query.ts";
import { shareTexts } from "./texts.ts";

/** Says what of a link could not be used. */
export function LinkNote() {
  const { t } = usePartTexts(shareTexts);
  const problem = useLinkProblem((state) => state.problem);
  if (!problem) return null;
  const sentences: Record<LinkProblem["kind"], string> = {
    damaged: t.linkDamaged,
    "too-large": t.linkTooLarge,
    fields: t.linkFields,
  };
  return (
    <div
      role="alert"
      className="flex items-center justify-between gap-3 border-b border-failure bg-failure-wash px-4 py-2 text-sm"
    >
      <p>
        {sentences[problem.kind]}
        {problem.kind === "fields" ? <code> {problem.fields.join(", ")}</code> : null}
      </p>
      <Button onClick={() => useLinkProblem.setState({ problem: undefined })}>{t.dismiss}</Button>
    </div>
  );
}
