import { useId, useState } from "react";
import type { ScaleRewards } from "../../../train/grpo/advantages.ts";
import { Button } from "../../components/Button.tsx";
import { formatCount, formatDecimal } from "../../format.ts";
import { usePartTexts } from "../../i18n/use-part-texts.ts";
import { Figure } from "../parts/Section.tsx";
import { Segments, Slider } from "../parts/Slider.tsx";
import { groupFigures } from "./group.ts";
import type { Stage } from "./group.ts";
import { groupTexts } from "./texts.ts";

const MOST = 8;
/** Half of the bars' axis, unless a value is larger. */
const REACH = 2;

const PRESETS = {
  presetMixed: [0.9, 0.2, 0.6, 0.1, 1, 0.4, 0.7, 0],
  presetOne: [1, 0, 0, 0, 0, 0, 0, 0],
  presetAll: [1, 1, 1, 1, 1, 1, 1, 1],
  presetNone: [0, 0, 0, 0, 0, 0, 0, 0],
} as const;
const PRESET_NAMES = ["presetMixed", "presetOne", "presetAll", "presetNone"] as const;

const OTHERS = { mixed: (i: number) => i % 2, dead: () => 0 } as const;

/** Rewards the reader drags become advantages. */
export function GroupFigure({ number }: { readonly number: string }) {
  const { t, language } = usePartTexts(groupTexts);
  const [rewards, setRewards] = useState<readonly number[]>(PRESETS.presetMixed);
  const [size, setSize] = useState(6);
  const [stage, setStage] = useState<Stage>("advantage");
  const [scale, setScale] = useState<ScaleRewards>("group");
  const [other, setOther] = useState<keyof typeof OTHERS>("mixed");
  const group = rewards.slice(0, size);
  const others = group.map((_, i) => OTHERS[other](i));
  const { values, mean, std, batchStd, isDead } = groupFigures(group, others, scale);
  const shown = values[stage];
  const reach = Math.max(REACH, ...shown.map(Math.abs));
  const decimal = (value: number): string => formatDecimal(value, language, 2);
  return (
    <Figure title={`${number} ${t.figure}`} caption={t.caption}>
      <div className="flex flex-wrap items-end gap-x-8 gap-y-3">
        <Segments
          label={t.show}
          value={stage}
          options={[
            { value: "reward", text: t.stageReward },
            { value: "centred", text: t.stageCentred },
            { value: "advantage", text: t.stageAdvantage },
          ]}
          onChoose={setStage}
        />
        <fieldset className="min-w-0">
          <legend className="mb-1 text-sm">{t.presets}</legend>
          <div className="flex flex-wrap gap-1.5">
            {PRESET_NAMES.map((name) => (
              <Button key={name} className="px-2.5! py-1! font-normal!" onClick={() => setRewards(PRESETS[name])}>
                {t[name]}
              </Button>
            ))}
          </div>
        </fieldset>
      </div>
      <ul className="my-5 flex flex-col gap-1">
        {group.map((reward, i) => (
          <CompletionRow
            // A completion has no name but its place in the group.
            key={i}
            index={i}
            reward={reward}
            mean={mean}
            value={shown[i] ?? 0}
            reach={reach}
            isReward={stage === "reward"}
            onReward={(value) => setRewards(rewards.with(i, value))}
          />
        ))}
      </ul>
      <p className="flex flex-wrap gap-x-6 gap-y-1 text-sm">
        <span>
          {t.mean} μ = <strong className="font-semibold">{decimal(mean)}</strong>
        </span>
        <span>
          {t.std} σ = <strong className="font-semibold">{decimal(std)}</strong>
        </span>
        {scale === "batch" ? (
          <span>
            {t.batchStd} = <strong className="font-semibold">{decimal(batchStd)}</strong>
          </span>
        ) : null}
      </p>
      <p
        role="status"
        className={`mt-2 min-h-[3lh] text-sm sm:min-h-[2lh] in-data-presenting:lg:min-h-[1lh] ${isDead ? "font-semibold text-negative" : "text-quiet"}`}
      >
        {isDead ? t.dead : t.alive}
      </p>
      <div className="mt-2 flex flex-wrap items-end gap-x-8 gap-y-3">
        <Segments
          label={t.scale}
          value={scale}
          options={[
            { value: "group", text: t.scaleGroup },
            { value: "batch", text: t.scaleBatch },
            { value: "none", text: t.scaleNone },
          ]}
          onChoose={setScale}
        />
        {scale === "batch" ? (
          <Segments
            label={t.otherGroup}
            value={other}
            options={[
              { value: "mixed", text: t.otherMixed },
              { value: "dead", text: t.otherDead },
            ]}
            onChoose={setOther}
          />
        ) : null}
        <div className="w-48">
          <Slider
            label={t.size}
            value={size}
            min={2}
            max={MOST}
            step={1}
            text={formatCount(size, language)}
            onChange={setSize}
          />
        </div>
      </div>
    </Figure>
  );
}

interface CompletionRowProps {
  readonly index: number;
  readonly reward: number;
  readonly mean: number;
  readonly value: number;
  /** Half of the axis. */
  readonly reach: number;
  readonly isReward: boolean;
  readonly onReward: (reward: number) => void;
}

function CompletionRow({ index, reward, mean, value, reach, isReward, onReward }: CompletionRowProps) {
  const { t, language } = usePartTexts(groupTexts);
  const id = useId();
  // Rounding is neither good nor bad.
  const sign = Math.abs(value) < 1e-6 ? 0 : Math.sign(value);
  const share = (Math.abs(value) / reach) * 50;
  const color = isReward ? "bg-reward" : sign > 0 ? "bg-positive" : "bg-negative";
  const textColor = isReward ? "text-reward" : sign > 0 ? "text-positive" : sign < 0 ? "text-negative" : "text-zero";
  return (
    <li className="grid grid-cols-[1.75rem_minmax(5rem,2fr)_2.25rem_minmax(6rem,3fr)_3.25rem] items-center gap-2 text-sm sm:gap-3">
      <label htmlFor={id}>
        o<sub>{index + 1}</sub>
        <span className="sr-only"> {t.reward}</span>
      </label>
      <div className="relative flex items-center">
        <input
          id={id}
          type="range"
          className="relative z-1 w-full accent-reward"
          min={0}
          max={1}
          step={0.05}
          value={reward}
          onChange={({ target }) => onReward(Number(target.value))}
        />
        {/* The slider's thumb is a rem wide, and its middle stays that far from both ends. */}
        <span aria-hidden className="absolute inset-x-2 -inset-y-1">
          <span
            className="absolute inset-y-0 w-px bg-ink transition-[left] duration-200 motion-reduce:transition-none"
            style={{ left: `${100 * mean}%` }}
          />
        </span>
      </div>
      <span className="text-right text-quiet">{formatDecimal(reward, language, 2)}</span>
      <div aria-hidden className="relative h-6 rounded-sm bg-bubble">
        <span
          className={`absolute inset-y-0.5 rounded-sm transition-[left,width,background-color] duration-250 ease-out motion-reduce:transition-none ${color}`}
          style={{ left: `${sign < 0 ? 50 - share : 50}%`, width: `${share}%` }}
        />
        <span className="absolute inset-y-0 left-1/2 w-px bg-edge" />
      </div>
      <span className={`text-right font-semibold ${textColor}`}>
        <span className="sr-only">
          {t.value} {index + 1}:{" "}
        </span>
        {formatSigned(value, language, isReward)}
      </span>
    </li>
  );
}

function formatSigned(value: number, language: "en" | "ja", isReward: boolean): string {
  const rounded = Math.abs(value) < 0.005 ? 0 : value;
  const text = formatDecimal(Math.abs(rounded), language, 2);
  if (isReward || rounded === 0) return text;
  return `${rounded > 0 ? "+" : "−"}${text}`;
}
