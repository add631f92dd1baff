import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Numbers } from "../parts/Numbers.tsx";
import { Section } from "../parts/Section.tsx";
import { RewardsFigure } from "./RewardsFigure.tsx";
import { rewardsTexts } from "./texts.ts";

function Rules() {
  const { t } = usePartTexts(rewardsTexts);
  return (
    <Section title={t.title} prose={[t.p1, t.p2]}>
      <RewardsFigure number="2.1" />
    </Section>
  );
}

function WhyRules() {
  const { t } = usePartTexts(rewardsTexts);
  return (
    <Section title={t.whyTitle} prose={[t.w1, t.w2]}>
      <Numbers
        papers={[
          { value: t.two, what: t.nTypes, source: "DeepSeek-R1 v1 §2.2.2" },
          { value: t.none, what: t.nNeural, source: "DeepSeek-R1 v1 §2.2.2" },
          { value: t.small, what: t.nLanguage, source: "DeepSeek-R1 v1 §2.3.2" },
          { value: t.two, what: t.nPrm, source: "DeepSeek-R1 v1 §4.2" },
        ]}
        own={[
          { metric: "rewards/accuracy/mean", what: t.ownAccuracy, kind: "decimal" },
          { metric: "rewards/format/mean", what: t.ownFormat, kind: "decimal" },
          { metric: "reward", what: t.ownReward, kind: "decimal" },
        ]}
        live={["lab"]}
      />
    </Section>
  );
}

export const REWARDS_SECTIONS = [Rules, WhyRules] as const;
