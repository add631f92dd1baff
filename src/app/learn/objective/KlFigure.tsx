import { useState } from "react";
import { formatDecimal } from "../../format.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Handle, Plot } from "../parts/Plot.tsx";
import { Figure } from "../parts/Section.tsx";
import { Slider } from "../parts/Slider.tsx";
import { divergence, driftedTokens, ESTIMATORS, estimatorStatistics, klEstimate } from "./kl.ts";
import { objectiveTexts } from "./texts.ts";

const FROM = -2;
const TO = 2;
const TOP = 3;
const BOTTOM = -2;
const SAMPLES = 80;

const LINES = {
  k1: "stroke-zero stroke-[1.5]",
  k2: "stroke-ink stroke-[1.5] [stroke-dasharray:6_3]",
  k3: "stroke-kl stroke-3",
} as const;
/** Where each curve's name stands, in d, and on which side of it. */
const NAMES = { k1: { d: -1.2, below: true }, k2: { d: -1.95, below: true }, k3: { d: -1.35, below: false } } as const;

/** k1, k2 and k3 over the log ratio, and their mean and scatter over a small policy. */
export function KlFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(objectiveTexts);
  const [drift, setDrift] = useState(0.8);
  const [logRatio, setLogRatio] = useState(0.5);
  const tokens = driftedTokens(drift);
  const decimal = (value: number, digits = 3): string => formatDecimal(value, language, digits).replace("-", "−");
  return (
    <Figure title={`${number} ${t.klFigure}`} caption={t.klCaption}>
      <div className="mb-4">
        <Slider
          label={t.drift}
          value={drift}
          min={0}
          max={2}
          step={0.05}
          text={decimal(drift, 2)}
          onChange={setDrift}
        />
      </div>
      <Plot
        label={t.klFigure}
        x={[FROM, TO]}
        y={[BOTTOM, TOP]}
        xTicks={[-2, -1, 0, 1, 2]}
        yTicks={[-2, -1, 0, 1, 2, 3]}
        xLabel={t.logRatioAxis}
        yLabel={t.estimateAxis}
        format={(value) => decimal(value, 0)}
        onScrub={(x) => setLogRatio(Number(x.toFixed(2)))}
      >
        {(scales) => (
          <>
            <path d={`M${scales.x(logRatio)} ${scales.y(BOTTOM)}V${scales.y(TOP)}`} className="stroke-edge" />
            {ESTIMATORS.map((estimator) => {
              const points = Array.from({ length: SAMPLES + 1 }, (_, i) => FROM + ((TO - FROM) * i) / SAMPLES)
                .map((d) => [d, klEstimate(estimator, d)] as const)
                .filter(([, value]) => value <= TOP)
                .map(([d, value]) => `${scales.x(d)} ${scales.y(value)}`);
              const { d, below } = NAMES[estimator];
              return (
                <g key={estimator}>
                  <path d={`M${points.join("L")}`} fill="none" className={LINES[estimator]} />
                  <text
                    x={scales.x(d) + 0.5 * scales.rem}
                    y={scales.y(klEstimate(estimator, d)) + (below ? 1.3 : -0.2) * scales.rem}
                    className={`font-semibold ${estimator === "k3" ? "fill-kl" : "fill-ink"}`}
                  >
                    {estimator}
                  </text>
                </g>
              );
            })}
            {tokens.map(({ policy, logRatio: d }) => (
              <circle
                key={d}
                cx={scales.x(Math.max(FROM, Math.min(TO, d)))}
                cy={scales.y(Math.min(TOP, klEstimate("k3", d)))}
                r={scales.rem * 1.1 * Math.sqrt(policy)}
                className="fill-kl/25 stroke-kl"
              />
            ))}
            <Handle
              x={logRatio}
              y={klEstimate("k3", logRatio)}
              scales={scales}
              label={t.logRatio}
              text={`d = ${decimal(logRatio, 2)}`}
              min={-1.5}
              max={TO}
              step={0.1}
              onChange={setLogRatio}
              className="fill-kl"
            />
          </>
        )}
      </Plot>
      <table className="mt-4 w-full text-sm">
        <caption className="pb-2 text-left">
          {t.truth}: <strong className="font-semibold text-kl">{decimal(divergence(tokens))}</strong> {t.nats}
        </caption>
        <thead>
          <tr className="border-b border-line text-right text-quiet">
            <th scope="col" className="py-1 text-left font-normal">
              {t.estimator}
            </th>
            <th scope="col" className="py-1 font-normal">
              {t.atPoint} = {decimal(logRatio, 2)}
            </th>
            <th scope="col" className="py-1 font-normal">
              {t.mean}
            </th>
            <th scope="col" className="py-1 font-normal">
              {t.scatter}
            </th>
          </tr>
        </thead>
        <tbody>
          {ESTIMATORS.map((estimator) => {
            const { mean, std } = estimatorStatistics(tokens, estimator);
            return (
              <tr key={estimator} className="border-b border-line text-right">
                <th scope="row" className="py-1 text-left font-semibold">
                  {estimator}
                </th>
                <td className="py-1">{decimal(klEstimate(estimator, logRatio))}</td>
                <td className="py-1">{decimal(mean)}</td>
                <td className="py-1">{decimal(std)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Figure>
  );
}
