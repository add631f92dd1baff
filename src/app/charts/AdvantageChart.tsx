import { useEffect, useId, useMemo, useRef } from "react";
import type { CompletionRecord } from "../../engine/protocol.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { Language } from "../i18n/texts.ts";
import type { RunData } from "../runs/run-data.ts";
import {
  contextOf,
  DotDrawing,
  drawCurrent,
  drawField,
  frameOf,
  reachOfSteps,
  stepAt,
  yOf,
} from "./advantage-canvas.ts";
import type { FieldTexts, Frame } from "./advantage-canvas.ts";
import { Explain } from "./Explain.tsx";
import { chartPng, safeFileName } from "./export.ts";
import { download } from "../download.ts";
import { inSlices } from "../slices.ts";
import { formatSigned } from "./format-value.ts";
import { gistOf } from "./groups.ts";
import type { Group } from "./groups.ts";
import { usePalette } from "./palette.ts";
import { signOf, stepRange } from "./scales.ts";
import type { Sign, StepWindow } from "./scales.ts";
import { SIGN_TEXT } from "./sign-styles.ts";
import { spread } from "./spread.ts";
import { stepKeys } from "./step-keys.ts";
import { chartTexts } from "./texts.ts";
import { useSize } from "./use-size.ts";
import { useThrottled } from "./use-throttled.ts";

export interface AdvantageChartProps {
  readonly run: RunData;
  readonly step: number;
  /** The step whose group is lifted out: a recorded run has not kept those of every step. */
  readonly groupStep: number;
  readonly onStep: (step: number) => void;
  readonly group: Group | undefined;
  /** As the group view counts them, from 1. */
  readonly groupNumber: number;
  /** The completion that is being read. */
  readonly opened?: CompletionRecord | undefined;
  readonly onOpen?: (completion: CompletionRecord) => void;
  readonly window?: StepWindow | undefined;
}

/** Every completion a dot by step and advantage; the current group lifted out beside it. */
export function AdvantageChart(props: AdvantageChartProps) {
  const { step, groupStep, onStep, group, groupNumber, opened, onOpen, window } = props;
  const run = useThrottled(props.run);
  const { t, language } = usePartTexts(chartTexts);
  const palette = usePalette();
  const titleId = useId();
  const field = useRef<HTMLCanvasElement>(null);
  const current = useRef<HTMLCanvasElement>(null);
  const { setElement, width, height } = useSize<HTMLDivElement>();

  const { steps, header } = run;
  const newest = steps.at(-1)?.step ?? 0;
  const event = steps.find((each) => each.step === groupStep) ?? steps.at(-1);
  const reach = useMemo(() => reachOfSteps(steps), [steps]);
  const [from, to] = stepRange(window, newest, header.max_steps);
  const frame = useMemo(() => frameOf({ width, height }, [from, to], reach), [width, height, from, to, reach]);

  // Dots that are there stay; a step that is new adds its own.
  const drawn = useRef<{
    readonly under: unknown;
    readonly dots: DotDrawing;
    readonly count: number;
    readonly last: unknown;
  }>(undefined);
  const under = useMemo(
    () => ({ frame, palette, id: run.id, texts: fieldTexts(t, language) }),
    [frame, palette, run.id, t, language],
  );
  useEffect(() => {
    const canvas = field.current;
    if (!canvas || frame.width === 0) return undefined;
    const before = drawn.current;
    const goesOn = before?.under === under && before.count <= steps.length && before.last === steps[before.count - 1];
    const context = goesOn ? canvas.getContext("2d") : contextOf(canvas, frame);
    if (!context) return undefined;
    if (!goesOn) drawField(context, frame, palette, under.texts);
    const dots = goesOn ? before.dots : new DotDrawing(context, frame, palette);
    // Those of a long run come in the pauses of what is more urgent.
    let cancel = (): void => undefined;
    const drawFrom = (start: number): void => {
      const count = Math.min(steps.length, dots.drawSome(steps, start));
      drawn.current = { under, dots, count, last: steps[count - 1] };
      if (count < steps.length) cancel = inSlices(() => drawFrom(count));
    };
    drawFrom(goesOn ? before.count : 0);
    return () => cancel();
  }, [under, frame, palette, steps]);

  const groupTitle = group ? `${t.group} ${groupNumber}` : "";
  useEffect(() => {
    if (!current.current || frame.width === 0) return;
    const context = contextOf(current.current, frame);
    if (context && event) drawCurrent(context, frame, palette, event, group?.completions ?? [], opened, groupTitle);
  }, [frame, palette, event, group, opened, groupTitle]);

  const completions = event?.completions ?? [];
  const count = (sign: Sign): number => completions.filter(({ advantage }) => signOf(advantage) === sign).length;
  const signs = `${t.aboveZero} ${count("positive")} · ${t.belowZero} ${count("negative")} · ${t.atZero} ${count("zero")}`;
  const said = `${t.step} ${event?.step ?? step} · ${signs}`;

  const pick = (target: HTMLElement, clientX: number): void => {
    const at = stepAt(frame, clientX - target.getBoundingClientRect().left);
    onStep(Math.max(steps[0]?.step ?? 1, Math.min(newest, at)));
  };

  const savePng = async (): Promise<void> => {
    if (!field.current || !current.current) return;
    const picture = await chartPng({
      ...palette,
      title: `${t.advantages} · ${t.step} ${step}`,
      subtitle: run.name,
      layers: [field.current, current.current],
      background: palette.paper,
    });
    download(picture, `${safeFileName(run.name)}-advantages.png`);
  };

  const hasDots = steps.some((each) => each.completions.length > 0);
  return (
    <figure aria-labelledby={titleId} className="min-w-0">
      <figcaption className="relative flex flex-wrap items-baseline justify-between gap-x-4">
        <span>
          <span id={titleId} className="text-xl font-semibold">
            {t.advantages}
          </span>
          <Explain name={t.advantages} text={t.advantagesHelp} />
        </span>
        {hasDots ? (
          <span className="flex items-baseline gap-3 text-xs text-quiet">
            {said}
            <button
              type="button"
              aria-label={`${t.exportPng}: ${t.advantages}`}
              title={t.exportPng}
              className="rounded-md px-1.5 text-sm hover:bg-bubble hover:text-ink"
              onClick={() => void savePng()}
            >
              <span aria-hidden>↓</span>
            </button>
          </span>
        ) : null}
      </figcaption>
      {hasDots ? (
        <div className="mt-1 flex h-80 gap-2">
          <div
            ref={setElement}
            role="slider"
            tabIndex={0}
            aria-label={`${t.advantages}. ${t.advantageKeys}`}
            aria-valuemin={steps[0]?.step ?? 1}
            aria-valuemax={newest}
            aria-valuenow={step}
            aria-valuetext={said}
            className="relative min-w-0 flex-1 cursor-crosshair touch-pan-y"
            onKeyDown={(press) => {
              const next = stepKeys(press.key, step, steps[0]?.step ?? 1, newest);
              if (next === undefined) return;
              press.preventDefault();
              onStep(next);
            }}
            onPointerDown={({ currentTarget, clientX, pointerId }) => {
              currentTarget.setPointerCapture(pointerId);
              pick(currentTarget, clientX);
            }}
            onPointerMove={({ currentTarget, clientX, buttons }) => {
              if (buttons === 1) pick(currentTarget, clientX);
            }}
          >
            <canvas ref={field} className="absolute inset-0 size-full" />
            <canvas ref={current} className="absolute inset-0 size-full" />
          </div>
          {group && frame.height > 0 ? (
            <GroupLabels group={group} frame={frame} opened={opened} onOpen={onOpen} />
          ) : null}
        </div>
      ) : (
        <p className="mt-2 flex h-40 items-center justify-center rounded-md border border-dashed border-line px-6 text-center text-sm text-quiet">
          {steps.length > 0 ? t.advantageNoCompletions : t.advantageEmpty}
        </p>
      )}
    </figure>
  );
}

const LABEL_GAP = 19;
const MOST_LABELS = 14;

interface GroupLabelsProps {
  readonly group: Group;
  readonly frame: Frame;
  readonly opened: CompletionRecord | undefined;
  readonly onOpen: ((completion: CompletionRecord) => void) | undefined;
}

/** What the lifted dots say: each answer at its dot's height, once however often it was given. */
function GroupLabels({ group, frame, opened, onOpen }: GroupLabelsProps) {
  const { t, language } = usePartTexts(chartTexts);
  const answers = new Map<string, { readonly completion: CompletionRecord; readonly gist: string; times: number }>();
  for (const completion of group.completions) {
    const gist = gistOf(completion);
    const key = `${completion.advantage} ${gist}`;
    const known = answers.get(key);
    if (known) known.times++;
    else answers.set(key, { completion, gist, times: 1 });
  }
  // The best and the worst, where there is no room for all.
  const sorted = [...answers.values()].toSorted((a, b) => b.completion.advantage - a.completion.advantage);
  const half = MOST_LABELS / 2;
  const shown = sorted.length <= MOST_LABELS ? sorted : [...sorted.slice(0, half), ...sorted.slice(-half)];
  const places = spread(
    shown.map(({ completion }) => yOf(frame, completion.advantage)),
    LABEL_GAP,
    frame.top,
    frame.bottom,
  );
  return (
    <ul aria-label={t.groupView} className="relative hidden w-52 shrink-0 sm:block">
      {shown.map(({ completion, gist, times }, i) => (
        <li
          key={i}
          className="absolute inset-x-0 -translate-y-1/2 transition-[top] duration-200 motion-reduce:transition-none"
          style={{ top: places[i] }}
        >
          <button
            type="button"
            aria-pressed={completion === opened}
            className="flex w-full items-baseline gap-1.5 rounded-sm px-1 text-left text-xs leading-[1.15rem] hover:bg-bubble aria-pressed:bg-bubble"
            onClick={() => onOpen?.(completion)}
          >
            <span className={`shrink-0 font-semibold ${SIGN_TEXT[signOf(completion.advantage)]}`}>
              {formatSigned(completion.advantage, language)}
            </span>
            <code className="min-w-0 truncate">{gist}</code>
            {times > 1 ? <span className="shrink-0 text-quiet">×{times}</span> : null}
          </button>
        </li>
      ))}
    </ul>
  );
}

function fieldTexts(t: (typeof chartTexts)[Language], language: Language): FieldTexts {
  const format = new Intl.NumberFormat(language, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
  return {
    step: t.step,
    better: t.better,
    wholeStep: t.ofStep,
    worse: t.worse,
    format: (value) => format.format(value),
  };
}
