import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Numbers } from "../parts/Numbers.tsx";
import { Section } from "../parts/Section.tsx";
import { BudgetFigure } from "./BudgetFigure.tsx";
import { thoughtTexts } from "./texts.ts";
import { VoteFigure } from "./VoteFigure.tsx";

function Thinking() {
  const { t } = usePartTexts(thoughtTexts);
  return (
    <Section title={t.title} prose={[t.p1, t.p2]}>
      <BudgetFigure number="1.1" />
    </Section>
  );
}

function Voting() {
  const { t } = usePartTexts(thoughtTexts);
  return (
    <Section title={t.voteTitle} prose={[t.v1, t.v2]}>
      <VoteFigure number="1.2" />
    </Section>
  );
}

function ThinkingNumbers() {
  const { t } = usePartTexts(thoughtTexts);
  return (
    <Section title={t.numbersTitle} prose={[t.n1, t.n2]}>
      <Numbers
        papers={[
          { value: "15.6 → 71.0 %", what: t.nPass, source: "DeepSeek-R1 v1 §2.2.4" },
          { value: "86.7 %", what: t.nCons, source: "DeepSeek-R1 v1 §2.2.4" },
          { value: "57 %", what: t.nS1, source: "s1 §4" },
          { value: "1,000", what: t.nData, source: "s1 §2" },
        ]}
        own={[
          { metric: "completions/mean_length", what: t.ownLength, kind: "decimal" },
          { metric: "eval_accuracy", what: t.ownAccuracy, kind: "percent" },
        ]}
        live={["playground", "lab"]}
      />
    </Section>
  );
}

export const THOUGHT_SECTIONS = [Thinking, Voting, ThinkingNumbers] as const;
