import { useMemo, useState } from "react";
import { formatCount } from "../../format.ts";
import { formatShare } from "../parts/format-share.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Handle, Plot } from "../parts/Plot.tsx";
import type { Scales } from "../parts/Plot.tsx";
import { Figure } from "../parts/Section.tsx";
import { Slider } from "../parts/Slider.tsx";
import { thoughtTexts } from "./texts.ts";
import { voteCurve } from "./vote.ts";

const MOST = 64;

/** pass@1, pass@k and cons@k over the number of samples. */
export function VoteFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(thoughtTexts);
  const [right, setRight] = useState(0.4);
  const [wrongAnswers, setWrongAnswers] = useState(3);
  const [samples, setSamples] = useState(16);
  const { cons, pass } = useMemo(() => voteCurve({ right, wrongAnswers, most: MOST }), [right, wrongAnswers]);
  const percent = (share: number): string => formatShare(share, language);
  const at = { cons: cons[samples - 1] ?? 0, pass: pass[samples - 1] ?? 0 };
  return (
    <Figure title={`${number} ${t.voteFigure}`} caption={t.voteCaption}>
      <div className="mb-4 grid gap-x-8 gap-y-3 sm:grid-cols-2">
        <Slider
          label={t.passOne}
          value={right}
          min={0.05}
          max={0.95}
          step={0.05}
          text={percent(right)}
          onChange={setRight}
        />
        <Slider
          label={t.wrong}
          value={wrongAnswers}
          min={1}
          max={8}
          step={1}
          text={formatCount(wrongAnswers, language)}
          onChange={setWrongAnswers}
        />
      </div>
      <Plot
        label={t.voteFigure}
        x={[1, MOST]}
        y={[0, 100]}
        xTicks={[1, 16, 32, 48, 64]}
        yTicks={[0, 25, 50, 75, 100]}
        xLabel={t.samplesAxis}
        yLabel={t.chanceAxis}
        format={(value) => formatCount(value, language)}
        onScrub={(value) => setSamples(Math.round(value))}
      >
        {(scales) => (
          <>
            <path
              d={`M${scales.x(1)} ${scales.y(100 * right)}H${scales.x(MOST)}`}
              className="stroke-quiet"
              strokeDasharray="4 4"
            />
            <Curve values={pass} scales={scales} className="stroke-quiet" />
            <Curve values={cons} scales={scales} className="stroke-reward" strong />
            <path d={`M${scales.x(samples)} ${scales.y(0)}V${scales.y(100)}`} className="stroke-edge" />
            <circle cx={scales.x(samples)} cy={scales.y(100 * at.pass)} r={0.3 * scales.rem} className="fill-quiet" />
            <Handle
              x={samples}
              y={100 * at.cons}
              scales={scales}
              label={t.samples}
              text={`k = ${samples}: ${percent(at.cons)}`}
              min={1}
              max={MOST}
              step={1}
              onChange={setSamples}
              className="fill-reward"
            />
          </>
        )}
      </Plot>
      <dl className="mt-3 grid grid-cols-3 gap-3 text-center text-sm">
        <Value name="pass@1" value={percent(right)} />
        <Value name={t.cons} value={percent(at.cons)} className="text-reward" />
        <Value name={t.pass} value={percent(at.pass)} />
      </dl>
      <p className="mt-1 text-center text-xs text-quiet">k = {formatCount(samples, language)}</p>
    </Figure>
  );
}

interface CurveProps {
  readonly values: readonly number[];
  readonly scales: Scales;
  readonly className: string;
  readonly strong?: boolean;
}

function Curve({ values, scales, className, strong = false }: CurveProps) {
  const points = values.map((value, i) => `${scales.x(i + 1)} ${scales.y(100 * value)}`);
  return (
    <path d={`M${points.join("L")}`} fill="none" className={`${className} ${strong ? "stroke-3" : "stroke-[1.5]"}`} />
  );
}

function Value({
  name,
  value,
  className = "",
}: {
  readonly name: string;
  readonly value: string;
  readonly className?: string;
}) {
  return (
    <div>
      <dt className="text-xs text-quiet">{name}</dt>
      <dd className={`text-xl font-semibold ${className}`}>{value}</dd>
    </div>
  );
}
