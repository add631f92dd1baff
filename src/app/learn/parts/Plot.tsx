import type { PointerEvent, ReactNode } from "react";
import { useWidth } from "./use-width.ts";
import { DrawnWords } from "./Words.tsx";

type Range = readonly [number, number];

/** From values to pixels. */
export interface Scales {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly rem: number;
}

interface PlotProps {
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  readonly x: Range;
  readonly y: Range;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
  readonly xLabel: string;
  readonly yLabel: string;
  readonly format: (value: number) => string;
  /** The reader points at a value of x. */
  readonly onScrub?: (x: number) => void;
  readonly children: (scales: Scales) => ReactNode;
}

/** Axes with their names, and what is drawn between them. */
export function Plot({ label, x, y, xTicks, yTicks, xLabel, yLabel, format, onScrub, children }: PlotProps) {
  const { box, width, rem } = useWidth();
  // A presentation shows the plot and what moves it on one screen.
  const height = Math.round(Math.min(20 * rem, Math.max(13 * rem, Math.min(width * 0.55, 0.36 * innerHeight))));
  const margin = { left: 2.6 * rem, right: 1 * rem, top: 1.6 * rem, bottom: 3 * rem };
  const inner = { width: Math.max(1, width - margin.left - margin.right), height: height - margin.top - margin.bottom };
  const scales: Scales = {
    x: (value) => margin.left + ((value - x[0]) / (x[1] - x[0])) * inner.width,
    y: (value) => margin.top + ((y[1] - value) / (y[1] - y[0])) * inner.height,
    rem,
  };
  const scrub = (event: PointerEvent<SVGSVGElement>): void => {
    if (!onScrub || event.buttons === 0) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const at = (event.clientX - event.currentTarget.getBoundingClientRect().left - margin.left) / inner.width;
    onScrub(x[0] + Math.min(1, Math.max(0, at)) * (x[1] - x[0]));
  };
  return (
    <div ref={box} className="min-w-0">
      <svg
        width={width}
        height={height}
        role="group"
        aria-label={label}
        className={`block text-xs ${onScrub ? "cursor-ew-resize touch-pan-y select-none" : ""}`}
        onPointerDown={scrub}
        onPointerMove={scrub}
      >
        <g aria-hidden>
          {xTicks.map((tick) => (
            <g key={tick}>
              <path d={`M${scales.x(tick)} ${scales.y(y[0])}V${scales.y(y[1])}`} className="stroke-line" />
              <text x={scales.x(tick)} y={scales.y(y[0]) + 1.2 * rem} textAnchor="middle" className="fill-quiet">
                {format(tick)}
              </text>
            </g>
          ))}
          {yTicks.map((tick) => (
            <g key={tick}>
              <path
                d={`M${scales.x(x[0])} ${scales.y(tick)}H${scales.x(x[1])}`}
                className={tick === 0 ? "stroke-edge" : "stroke-line"}
              />
              <text
                x={scales.x(x[0]) - 0.5 * rem}
                y={scales.y(tick) + 0.3 * rem}
                textAnchor="end"
                className="fill-quiet"
              >
                {format(tick)}
              </text>
            </g>
          ))}
          <text x={scales.x(x[1])} y={height - 0.5 * rem} textAnchor="end" className="fill-quiet">
            <DrawnWords text={xLabel} />
          </text>
          <text x={scales.x(x[0])} y={1 * rem} className="fill-quiet">
            {yLabel}
          </text>
        </g>
        {width > 0 ? children(scales) : null}
      </svg>
    </div>
  );
}

interface HandleProps {
  readonly x: number;
  readonly y: number;
  readonly scales: Scales;
  readonly label: string;
  readonly text: string;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly onChange: (x: number) => void;
  readonly className: string;
}

/** The point of a plot that can be moved: dragged with the plot's `onScrub`, or by keys. */
export function Handle({ x, y, scales, label, text, min, max, step, onChange, className }: HandleProps) {
  const moves: Readonly<Record<string, number>> = {
    ArrowRight: x + step,
    ArrowUp: x + step,
    ArrowLeft: x - step,
    ArrowDown: x - step,
    PageUp: x + 10 * step,
    PageDown: x - 10 * step,
    Home: min,
    End: max,
  };
  return (
    <circle
      cx={scales.x(x)}
      cy={scales.y(y)}
      r={0.5 * scales.rem}
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-valuenow={x}
      aria-valuemin={min}
      aria-valuemax={max}
      aria-valuetext={text}
      className={`stroke-sheet stroke-2 ${className}`}
      onKeyDown={(event) => {
        const to = moves[event.key];
        if (to === undefined) return;
        event.preventDefault();
        // Steps stay on the grid: 0.1 + 0.2 is not 0.3.
        onChange(Number(Math.min(max, Math.max(min, to)).toFixed(4)));
      }}
    />
  );
}
