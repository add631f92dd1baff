import type { CompletionRecord, TrainStepEvent } from "../../engine/protocol.ts";
import { cloud, histogram, swarm } from "./bins.ts";
import type { Palette } from "./palette.ts";
import { faint } from "./plot.ts";
import { signOf, ticks } from "./scales.ts";
import type { Sign } from "./scales.ts";

/** Sizes in CSS pixels. */
const AXIS = { left: 40, bottom: 40, top: 12 } as const;
const LIFT = { gap: 20, width: 96, narrow: 64, dot: 4.5 } as const;
const BINS = 25;
/** Dots of the same advantage make rows, and stray from it by this much at most. */
const [ROWS, STRAY] = [9, 5];
const OPACITY: Readonly<Record<Sign, number>> = { positive: 0.7, negative: 0.7, zero: 0.26 };

/** How the chart lies on its canvas. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly ratio: number;
  /** The plot's edges. */
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
  /** Where the current group is lifted out. */
  readonly liftLeft: number;
  readonly xRange: readonly [number, number];
  /** Advantages from −reach to +reach. */
  readonly reach: number;
}

export function frameOf(
  size: { readonly width: number; readonly height: number },
  xRange: readonly [number, number],
  reach: number,
): Frame {
  const lift = size.width < 500 ? LIFT.narrow : LIFT.width;
  const liftLeft = Math.max(AXIS.left, size.width - lift);
  return {
    ...size,
    ratio: devicePixelRatio,
    left: AXIS.left,
    right: Math.max(AXIS.left + 1, liftLeft - LIFT.gap),
    top: AXIS.top,
    bottom: Math.max(AXIS.top + 1, size.height - AXIS.bottom),
    liftLeft,
    xRange,
    reach,
  };
}

/** How far advantages reach from zero, in halves, so that the axis stays as it is from step to step. */
export function reachOfSteps(steps: readonly TrainStepEvent[]): number {
  let most = 1;
  for (const { completions } of steps) {
    for (const { advantage } of completions) if (Number.isFinite(advantage)) most = Math.max(most, Math.abs(advantage));
  }
  return Math.ceil(most * 2.1) / 2;
}

/** The width of a step. */
function columnOf({ left, right, xRange: [from, to] }: Frame): number {
  return (right - left) / (to - from + 0.5);
}

export function xOf(frame: Frame, step: number): number {
  return frame.left + (step - frame.xRange[0]) * columnOf(frame);
}

export function yOf({ top, bottom, reach }: Frame, advantage: number): number {
  return top + ((reach - advantage) / (2 * reach)) * (bottom - top);
}

/** The step at a place on the canvas, which need not be one of the run's. */
export function stepAt(frame: Frame, x: number): number {
  return Math.round(frame.xRange[0] + (x - frame.left) / columnOf(frame));
}

/** A context that draws in CSS pixels on an empty canvas. */
export function contextOf(canvas: HTMLCanvasElement, { width, height, ratio }: Frame): CanvasRenderingContext2D | null {
  // Setting the size empties it.
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context?.scale(ratio, ratio);
  return context;
}

export interface FieldTexts {
  readonly step: string;
  readonly better: string;
  readonly worse: string;
  /** Of the bars beside the lifted group. */
  readonly wholeStep: string;
  readonly format: (value: number) => string;
}

/** Axes, the quiet zero line, and which way is better. */
export function drawField(context: CanvasRenderingContext2D, frame: Frame, palette: Palette, texts: FieldTexts): void {
  const { left, right, top, bottom, reach, xRange } = frame;
  context.font = `12px ${palette.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (const value of ticks(-reach, reach, 5)) {
    const y = Math.round(yOf(frame, value)) + 0.5;
    context.fillStyle = palette.quiet;
    context.fillText(texts.format(value), left - 8, y);
    if (value === 0) continue;
    context.fillStyle = palette.line;
    context.fillRect(left, y - 0.5, frame.width - left, 1);
  }
  context.fillStyle = palette.edge;
  context.fillRect(left, Math.round(yOf(frame, 0)) - 0.5, frame.width - left, 1.25);
  context.fillStyle = palette.quiet;
  context.textAlign = "center";
  for (const step of ticks(xRange[0], xRange[1], Math.max(2, (right - left) / 90))) {
    if (Number.isInteger(step)) context.fillText(String(step), xOf(frame, step), bottom + 12);
  }
  context.fillText(texts.step, (left + right) / 2, bottom + 29);
  context.textAlign = "right";
  context.fillText(texts.wholeStep, frame.width, bottom + 29);
  context.textAlign = "left";
  context.fillStyle = palette.positive;
  context.fillText(`↑ ${texts.better}`, left + 6, top + 6);
  context.fillStyle = palette.negative;
  context.fillText(`↓ ${texts.worse}`, left + 6, bottom - 8);
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly sign: Sign;
}

function radiusOf(frame: Frame): number {
  return Math.max(SMALLEST, Math.min(2.2, columnOf(frame) / 6));
}

/** Where a step's dots are, side by side where they would cover each other, as far as the step's column is wide. */
function placesOf(frame: Frame, step: number, completions: readonly CompletionRecord[]): readonly Place[] {
  const radius = radiusOf(frame);
  const apart = radius * 1.7;
  const heights = completions.map(({ advantage }) => yOf(frame, advantage));
  const places = cloud(
    heights.map((y) => Math.round(y / (radius * 2))),
    Math.max(1, Math.floor((columnOf(frame) * 0.74) / apart)),
    ROWS,
  );
  return completions.map(({ advantage }, i) => {
    const { side, rise } = places[i] ?? { side: 0, rise: 0 };
    return { x: xOf(frame, step) + side * apart, y: (heights[i] ?? 0) + rise * STRAY, sign: signOf(advantage) };
  });
}

/** Dots this small are squares to the eye, and much faster to draw so. */
const SMALLEST = 0.9;
/** Of the main thread's time at a stretch, in milliseconds. */
const STRETCH_MS = 8;

/** Draws dots, as many as a stretch of time has room for. */
export class DotDrawing {
  readonly #context: CanvasRenderingContext2D;
  readonly #frame: Frame;
  readonly #palette: Palette;
  readonly #stamps: Readonly<Record<Sign, HTMLCanvasElement>>;
  /** Where there are more steps than places: what has been drawn, by sign and pixel. */
  readonly #drawn = new Set<number>();

  constructor(context: CanvasRenderingContext2D, frame: Frame, palette: Palette) {
    this.#context = context;
    this.#frame = frame;
    this.#palette = palette;
    const radius = radiusOf(frame);
    // One picture of a dot, put down tens of thousands of times, is much faster than as many arcs.
    this.#stamps = {
      positive: stampOf(palette.positive, radius, frame.ratio),
      negative: stampOf(palette.negative, radius, frame.ratio),
      zero: stampOf(palette.zero, radius, frame.ratio),
    };
  }

  /**
   * A dot for every completion of the steps from a place on.
   * @returns the place of the next step that is to be drawn
   */
  drawSome(steps: readonly TrainStepEvent[], start: number): number {
    const until = performance.now() + STRETCH_MS;
    const [from, to] = this.#frame.xRange;
    this.#context.save();
    let at = start;
    for (; at < steps.length; at++) {
      const event = steps[at];
      if (event && event.step >= from && event.step <= to) this.#drawStep(event);
      if (performance.now() > until) break;
    }
    this.#context.restore();
    return at + 1;
  }

  #drawStep({ step, completions }: TrainStepEvent): void {
    const isDense = columnOf(this.#frame) < 1;
    for (const { x, y, sign } of placesOf(this.#frame, step, completions)) {
      if (isDense && this.#isDrawn(x, y, sign)) continue;
      this.#context.globalAlpha = OPACITY[sign];
      if (radiusOf(this.#frame) <= SMALLEST) {
        this.#context.fillStyle = this.#palette[sign];
        this.#context.fillRect(x - SMALLEST, y - SMALLEST, 2 * SMALLEST, 2 * SMALLEST);
      } else {
        const stamp = this.#stamps[sign];
        const size = stamp.width / this.#frame.ratio;
        this.#context.drawImage(stamp, x - size / 2, y - size / 2, size, size);
      }
    }
  }

  #isDrawn(x: number, y: number, sign: Sign): boolean {
    const { width, height, ratio } = this.#frame;
    const columns = Math.ceil(width * ratio) + 1;
    const pixel = Math.round(y * ratio) * columns + Math.round(x * ratio);
    const key = pixel + SIGNS.indexOf(sign) * columns * (Math.ceil(height * ratio) + 1);
    if (this.#drawn.has(key)) return true;
    this.#drawn.add(key);
    return false;
  }
}

const SIGNS: readonly Sign[] = ["positive", "negative", "zero"];

function stampOf(color: string, radius: number, ratio: number): HTMLCanvasElement {
  const stamp = document.createElement("canvas");
  stamp.width = Math.ceil((2 * radius + 1) * ratio);
  stamp.height = stamp.width;
  const context = stamp.getContext("2d");
  if (!context) return stamp;
  context.fillStyle = color;
  context.beginPath();
  context.arc(stamp.width / 2, stamp.height / 2, radius * ratio, 0, 2 * Math.PI);
  context.fill();
  return stamp;
}

/**
 * The current step, and beside it its group lifted out at the same heights, before the distribution of the whole step.
 * @param opened the completion that is being read
 * @param title of the lifted group
 */
export function drawCurrent(
  context: CanvasRenderingContext2D,
  frame: Frame,
  palette: Palette,
  event: TrainStepEvent,
  group: readonly CompletionRecord[],
  opened: CompletionRecord | undefined,
  title: string,
): void {
  const { top, bottom, liftLeft, width } = frame;
  const isShown = event.step >= frame.xRange[0] && event.step <= frame.xRange[1];
  const column = Math.max(3, columnOf(frame));
  const x = xOf(frame, event.step);
  if (isShown) {
    context.fillStyle = faint(palette.ink, 0.07);
    context.fillRect(x - column / 2, top, column, bottom - top);
    context.fillStyle = palette.ink;
    context.beginPath();
    context.moveTo(x - 5, bottom + 5.5);
    context.lineTo(x + 5, bottom + 5.5);
    context.lineTo(x, bottom);
    context.fill();
  }
  drawDistribution(context, frame, palette, event.completions);
  const heights = group.map(({ advantage }) => yOf(frame, advantage));
  const room = width - liftLeft;
  const sides = swarm(
    heights.map((y) => Math.round(y / (2 * LIFT.dot))),
    Math.max(1, Math.floor(room / (LIFT.dot * 2.1)) - 1),
  );
  const members = new Set(group);
  const places = placesOf(frame, event.step, event.completions).filter((_, i) => {
    const completion = event.completions[i];
    return completion !== undefined && members.has(completion);
  });
  for (const [i, completion] of group.entries()) {
    const y = heights[i] ?? 0;
    const color = palette[signOf(completion.advantage)];
    const lifted = liftLeft + room / 2 + (sides[i] ?? 0) * LIFT.dot * 2.1;
    const place = places[i];
    if (isShown && place) {
      context.strokeStyle = faint(color, 0.4);
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(place.x, place.y);
      context.lineTo(lifted, y);
      context.stroke();
      context.fillStyle = color;
      context.beginPath();
      context.arc(place.x, place.y, radiusOf(frame) + 0.75, 0, 2 * Math.PI);
      context.fill();
    }
    context.fillStyle = color;
    context.strokeStyle = completion === opened ? palette.ink : palette.paper;
    context.lineWidth = completion === opened ? 2 : 1.25;
    context.beginPath();
    context.arc(lifted, y, LIFT.dot, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
  context.fillStyle = faint(palette.ink, 0.25);
  context.fillRect(liftLeft - 4, top, 1, bottom - top);
  context.fillStyle = palette.ink;
  context.font = `600 12px ${palette.font}`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  context.fillText(title, width, bottom + 12);
}

/** How the whole step's advantages lie, as bars behind the group. */
function drawDistribution(
  context: CanvasRenderingContext2D,
  frame: Frame,
  palette: Palette,
  completions: readonly CompletionRecord[],
): void {
  const { liftLeft, reach, width } = frame;
  const counts = histogram(
    completions.map(({ advantage }) => advantage),
    -reach,
    reach,
    BINS,
  );
  const most = Math.max(1, ...counts);
  for (const [bin, count] of counts.entries()) {
    const low = -reach + (bin * 2 * reach) / BINS;
    const high = low + (2 * reach) / BINS;
    const sign = low > 0 ? "positive" : high < 0 ? "negative" : "zero";
    context.fillStyle = faint(palette[sign], 0.17);
    const [yHigh, yLow] = [yOf(frame, high), yOf(frame, low)];
    context.fillRect(liftLeft - 3, yHigh + 0.75, ((width - liftLeft) * count) / most, yLow - yHigh - 1.5);
  }
}
