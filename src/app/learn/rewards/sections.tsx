import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Numbers } from "../parts/Numbers.tsx";
import { Section } from "../parts/Section.tsx";
import { Words } from "../parts/Words.tsx";
import { RewardsFigure } from "./RewardsFigure.tsx";
import { rewardsTexts } from "./texts.ts";

function Rules() {
  const { t } = usePartTexts(rewardsTexts);
  return (
    <Section
      title={t.title}
      prose={
        <>
          <p>
            <Words text={t.p1} />
          </p>
          <p>
            <Words text={t.p2} />
          </p>
        </>
      }
    >
      <RewardsFigure number="2.1" />
    </Section>
  );
}

function WhyRules() {
  const { t } = usePartTexts(rewardsTexts);
  return (
    <Section
      title={t.whyTitle}
      prose={
        <>
          <p>
            <Words text={t.w1} />
          </p>
          <p>
            <Words text={t.w2} />
          </p>
        </>
      }
    >
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
