import { useState } from "react";
import { Button } from "../../components/Button.tsx";
import { formatDecimal } from "../../format.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Handle, Plot } from "../parts/Plot.tsx";
import { Figure } from "../parts/Section.tsx";
import { Slider } from "../parts/Slider.tsx";
import { DrawnWords } from "../parts/Words.tsx";
import { clipCurve, clipPoint } from "./clip-curve.ts";
import { objectiveTexts } from "./texts.ts";

const FROM = 0.05;
const TO = 2;
const PRESETS = [
  { name: "PPO, TRL", epsilon: 0.2, epsilonHigh: 0.2 },
  { name: "DAPO", epsilon: 0.2, epsilonHigh: 0.28 },
] as const;

/** min(r·A, clip(r, 1 − ε, 1 + ε_high)·A) over the ratio. */
export function ClipFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(objectiveTexts);
  const [settings, setSettings] = useState({ epsilon: 0.2, epsilonHigh: 0.28, advantage: 1 });
  const [ratio, setRatio] = useState(1.1);
  const { epsilon, epsilonHigh, advantage } = settings;
  const { objective, gradient, clipped } = clipPoint(ratio, settings);
  const decimal = (value: number): string => formatDecimal(value, language, 2).replace("-", "−");
  // Two scales only, so that the curve visibly grows with the advantage.
  const reach = Math.abs(advantage) <= 1 ? 2 : 4;
  const color = advantage < 0 ? "negative" : "positive";
  const said = clipped === 0 ? t.follows : clipped > 0 ? t.stoppedHigh : t.stoppedLow;
  return (
    <Figure title={`${number} ${t.figure}`} caption={t.caption}>
      <div className="mb-4 grid items-end gap-x-8 gap-y-3 sm:grid-cols-3">
        <Slider
          label={t.advantage}
          value={advantage}
          min={-2}
          max={2}
          step={0.1}
          text={decimal(advantage)}
          onChange={(value) => setSettings({ ...settings, advantage: value })}
        />
        <Slider
          label={t.epsilon}
          value={epsilon}
          min={0.05}
          max={0.6}
          step={0.01}
          text={decimal(epsilon)}
          onChange={(value) => setSettings({ ...settings, epsilon: value })}
        />
        <Slider
          label={t.epsilonHigh}
          value={epsilonHigh}
          min={0.05}
          max={0.8}
          step={0.01}
          text={decimal(epsilonHigh)}
          onChange={(value) => setSettings({ ...settings, epsilonHigh: value })}
        />
      </div>
      <div className="mb-4 flex flex-wrap gap-1.5">
        {PRESETS.map(({ name, ...bounds }) => (
          <Button
            key={name}
            className="px-2.5! py-1! font-normal!"
            onClick={() => setSettings({ ...settings, ...bounds })}
          >
            {name}
          </Button>
        ))}
      </div>
      <Plot
        label={t.figure}
        x={[0, TO]}
        y={[-reach, reach]}
        xTicks={[0, 0.5, 1, 1.5, 2]}
        yTicks={[-reach, -reach / 2, 0, reach / 2, reach]}
        xLabel={t.ratioAxis}
        yLabel={t.objectiveAxis}
        format={(value) => formatDecimal(value, language, Number.isInteger(value) ? 0 : 1).replace("-", "−")}
        onScrub={(x) => setRatio(Number(Math.max(FROM, x).toFixed(2)))}
      >
        {(scales) => {
          const path = clipCurve(settings, FROM, TO).map(
            (point) => `${scales.x(point.ratio)} ${scales.y(point.objective)}`,
          );
          return (
            <>
              <rect
                x={scales.x(1 - epsilon)}
                width={scales.x(1 + epsilonHigh) - scales.x(1 - epsilon)}
                y={scales.y(reach)}
                height={scales.y(-reach) - scales.y(reach)}
                className="fill-bubble opacity-70"
              />
              <text
                x={scales.x(1 - epsilon) - 0.3 * scales.rem}
                y={scales.y(-reach) - 0.5 * scales.rem}
                textAnchor="end"
                className="fill-quiet"
              >
                1 − ε
              </text>
              <text
                x={scales.x(1 + epsilonHigh) + 0.3 * scales.rem}
                y={scales.y(-reach) - 0.5 * scales.rem}
                className="fill-quiet"
              >
                <DrawnWords text="1 + ε_high" />
              </text>
              <path
                d={`M${scales.x(0)} ${scales.y(0)}L${scales.x(TO)} ${scales.y(TO * advantage)}`}
                className="stroke-zero"
                strokeDasharray="4 4"
              />
              <text
                x={scales.x(TO) - 0.3 * scales.rem}
                y={scales.y(TO * advantage) + (advantage < 0 ? 1.2 : -0.5) * scales.rem}
                textAnchor="end"
                className="fill-quiet"
              >
                r·A
              </text>
              <path
                d={`M${path.join("L")}`}
                fill="none"
                strokeLinejoin="round"
                className={`stroke-3 ${advantage < 0 ? "stroke-negative" : "stroke-positive"}`}
              />
              <Handle
                x={ratio}
                y={objective}
                scales={scales}
                label={t.ratio}
                text={`r = ${decimal(ratio)}, ${t.objective} ${decimal(objective)}`}
                min={FROM}
                max={TO}
                step={0.05}
                onChange={setRatio}
                className={color === "negative" ? "fill-negative" : "fill-positive"}
              />
            </>
          );
        }}
      </Plot>
      <dl className="mt-3 grid grid-cols-3 gap-3 text-center">
        {[
          [t.ratio, ratio],
          [t.objective, objective],
          [t.gradient, gradient],
        ].map(([name, value]) => (
          <div key={name}>
            <dt className="text-xs text-quiet">{name}</dt>
            <dd className="text-xl font-semibold">{decimal(Number(value))}</dd>
          </div>
        ))}
      </dl>
      <p
        role="status"
        className={`mt-2 min-h-[2lh] text-center text-sm ${clipped === 0 ? "text-quiet" : "font-semibold"}`}
      >
        {said}
      </p>
    </Figure>
  );
}
