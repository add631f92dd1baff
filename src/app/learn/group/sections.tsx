import { formatShare } from "../parts/format-share.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Formula } from "../parts/Formula.tsx";
import { Numbers } from "../parts/Numbers.tsx";
import { Section } from "../parts/Section.tsx";
import { deadShare } from "./group.ts";
import { GroupFigure } from "./GroupFigure.tsx";
import { groupTexts } from "./texts.ts";

const ADVANTAGE = String.raw`A_i = \frac{r_i - \operatorname{mean}(r_1, \dots, r_G)}{\operatorname{std}(r_1, \dots, r_G)}`;

function Group() {
  const { t } = usePartTexts(groupTexts);
  return (
    <Section title={t.title} prose={[t.p1, <Formula key="advantage" source={ADVANTAGE} />, t.p2]}>
      <GroupFigure number="3.1" />
    </Section>
  );
}

const GROUP_SIZE = 8;
const CHANCES = [0.05, 0.15, 0.3, 0.5, 0.9] as const;

function GroupNumbers() {
  const { t, language } = usePartTexts(groupTexts);
  const percent = (share: number): string => formatShare(share, language);
  return (
    <Section
      title={t.numbersTitle}
      prose={[
        t.n1,
        <table key="dead" className="my-1 w-full text-sm">
          <caption className="pb-1 text-left text-quiet">{t.chance}</caption>
          <thead>
            <tr className="border-b border-line">
              {CHANCES.map((chance) => (
                <th key={chance} scope="col" className="py-1 font-normal">
                  {percent(chance)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            <tr>
              {CHANCES.map((chance) => (
                <td key={chance} className="py-1 text-center font-semibold">
                  {percent(deadShare(chance, GROUP_SIZE))}
                </td>
              ))}
            </tr>
          </tbody>
        </table>,
        t.n2,
      ]}
    >
      <Numbers
        papers={[
          { value: "G = 16", what: t.nR1, source: "DeepSeek-R1 v2 §2" },
          { value: "G = 64", what: t.nMath, source: "DeepSeekMath §4.2" },
          { value: "46.8 → 51.7 %", what: t.nMathGain, source: "DeepSeekMath §4.2" },
          { value: "43.3 %", what: t.nDr, source: "Dr. GRPO §1" },
        ]}
        own={[
          { metric: "frac_reward_zero_std", what: t.ownDead, kind: "percent" },
          { metric: "reward_std", what: t.ownStd, kind: "decimal" },
          { metric: "reward", what: t.ownReward, kind: "decimal" },
        ]}
        live={["lab"]}
      />
    </Section>
  );
}

export const GROUP_SECTIONS = [Group, GroupNumbers] as const;
