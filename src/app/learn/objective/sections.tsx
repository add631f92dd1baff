import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Formula } from "../parts/Formula.tsx";
import { Numbers } from "../parts/Numbers.tsx";
import { Section } from "../parts/Section.tsx";
import { ClipFigure } from "./ClipFigure.tsx";
import { KlFigure } from "./KlFigure.tsx";
import { objectiveTexts } from "./texts.ts";
import { WeightsFigure } from "./WeightsFigure.tsx";

const OBJECTIVE = String.raw`\mathcal{J} = \min\bigl(r A,\; \operatorname{clip}(r,\, 1-\varepsilon,\, 1+\varepsilon_{\text{high}})\, A\bigr)`;
const RATIO = String.raw`r = \frac{\pi_\theta(o_t \mid q, o_{<t})}{\pi_{\text{old}}(o_t \mid q, o_{<t})}`;
const ESTIMATES = String.raw`k_1 = d \quad k_2 = \tfrac12 d^2 \quad k_3 = e^{-d} - 1 + d`;
const LOSS = String.raw`\mathcal{L} = -\sum_{i,t} w_{i,t}\,\bigl(\mathcal{J}_{i,t} - \beta\, k_{i,t}\bigr)`;

function Clip() {
  const { t } = usePartTexts(objectiveTexts);
  return (
    <Section
      title={t.title}
      prose={[t.p1, <Formula key="ratio" source={RATIO} />, <Formula key="objective" source={OBJECTIVE} />, t.p2]}
    >
      <ClipFigure number="4.1" />
    </Section>
  );
}

function Leash() {
  const { t } = usePartTexts(objectiveTexts);
  return (
    <Section title={t.klTitle} prose={[t.k1, <Formula key="estimates" source={ESTIMATES} />, t.k2]}>
      <KlFigure number="4.2" />
    </Section>
  );
}

function Weights() {
  const { t } = usePartTexts(objectiveTexts);
  return (
    <Section title={t.lossTitle} prose={[t.l1, <Formula key="loss" source={LOSS} />, t.l2]}>
      <WeightsFigure number="4.3" />
    </Section>
  );
}

function ObjectiveNumbers() {
  const { t } = usePartTexts(objectiveTexts);
  return (
    <Section title={t.numbersTitle} prose={[t.n1, t.n2]}>
      <Numbers
        papers={[
          { value: "0.001", what: t.nR1, source: "DeepSeek-R1 v2 §2" },
          { value: "0.04", what: t.nMath, source: "DeepSeekMath §4.2" },
          { value: "0.2, 0.28", what: t.nDapo, source: "DAPO §4.1" },
          { value: "50 %", what: t.nDapoScore, source: "DAPO §4" },
        ]}
        own={[
          { metric: "kl", what: t.ownKl, kind: "small" },
          { metric: "clip_ratio/region_mean", what: t.ownClip, kind: "percent" },
          { metric: "entropy", what: t.ownEntropy, kind: "small" },
        ]}
        live={["lab"]}
      />
    </Section>
  );
}

export const OBJECTIVE_SECTIONS = [Clip, Leash, Weights, ObjectiveNumbers] as const;
