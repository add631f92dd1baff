import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Numbers } from "../parts/Numbers.tsx";
import { Section } from "../parts/Section.tsx";
import { PackingFigure } from "./PackingFigure.tsx";
import { PipelineFigure } from "./PipelineFigure.tsx";
import { ScoresFigure } from "./ScoresFigure.tsx";
import { pathTexts } from "./texts.ts";

function Pipeline() {
  const { t } = usePartTexts(pathTexts);
  return (
    <Section title={t.title} prose={[t.p1, t.p2]}>
      <PipelineFigure number="5.1" />
    </Section>
  );
}

function Aha() {
  const { t } = usePartTexts(pathTexts);
  return (
    <Section title={t.ahaTitle} prose={[t.ahaText]}>
      <blockquote className="border-l-4 border-thought bg-thought-wash px-5 py-4 text-xl" lang="en">
        {t.aha}
      </blockquote>
    </Section>
  );
}

function Scores() {
  const { t } = usePartTexts(pathTexts);
  return (
    <Section title={t.numbersTitle} prose={[t.n1, t.n2]}>
      <ScoresFigure number="5.2" />
    </Section>
  );
}

function Packing() {
  const { t } = usePartTexts(pathTexts);
  return (
    <Section title={t.packTitle} prose={[t.k1, t.k2]}>
      <PackingFigure number="5.3" />
    </Section>
  );
}

function PathNumbers() {
  const { t } = usePartTexts(pathTexts);
  return (
    <Section title={t.yoursTitle} prose={[t.yours]}>
      <Numbers
        papers={[
          { value: "72.6 / 47.0 %", what: t.nDistill, source: "DeepSeek-R1 v1 §4.1" },
          { value: "800,000", what: t.nExamples, source: "DeepSeek-R1 v1 §2.3.3" },
          { value: "97.3 %", what: t.nMath, source: "DeepSeek-R1 v1 §3.1" },
        ]}
        own={[
          { metric: "eval_accuracy", what: t.ownAccuracy, kind: "percent" },
          { metric: "completions/mean_length", what: t.ownLength, kind: "decimal" },
          { metric: "packing_efficiency", what: t.ownPacking, kind: "percent" },
        ]}
        live={["lab", "playground"]}
      />
    </Section>
  );
}

export const PATH_SECTIONS = [Pipeline, Aha, Scores, Packing, PathNumbers] as const;
