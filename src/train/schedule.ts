export interface ScheduleOptions {
  /** The highest rate, reached after the warm-up. */
  readonly learning_rate: number;
  readonly lr_scheduler_type: LrSchedulerType;
  /** Updates over which the rate rises from 0; `constant` has no warm-up and ignores it, as in transformers. */
  readonly warmup_steps: number;
  /** Updates of the whole run. */
  readonly max_steps: number;
}

type Schedule = (step: number, options: ScheduleOptions) => number;

/** What is left at the end of `polynomial`, transformers' `lr_end`. */
const POLYNOMIAL_END = 1e-7;
/** `timescale` of `inverse_sqrt` where there is no warm-up. */
const INVERSE_SQRT_TIMESCALE = 10_000;

const warmed =
  (after: Schedule): Schedule =>
  (step, options) =>
    step < options.warmup_steps ? step / Math.max(1, options.warmup_steps) : after(step, options);

/** Share of the updates after the warm-up that are done. */
const progress: Schedule = (step, { warmup_steps, max_steps }) =>
  (step - warmup_steps) / Math.max(1, max_steps - warmup_steps);

/** Factors on the learning rate, by the names and with the defaults of `transformers/optimization.py`. */
const SCHEDULES = {
  constant: () => 1,
  constant_with_warmup: warmed(() => 1),
  linear: warmed((step, options) => Math.max(0, 1 - progress(step, options))),
  cosine: warmed((step, options) => Math.max(0, (1 + Math.cos(Math.PI * progress(step, options))) / 2)),
  cosine_with_restarts: warmed((step, options) => {
    // With the one cycle that is the default, this differs from `cosine` in staying at 0 after the end.
    const done = progress(step, options);
    return done >= 1 ? 0 : Math.max(0, (1 + Math.cos(Math.PI * done)) / 2);
  }),
  polynomial: warmed((step, options) => {
    const end = POLYNOMIAL_END / options.learning_rate;
    return end + (1 - end) * Math.max(0, 1 - progress(step, options));
  }),
  inverse_sqrt: warmed((step, { warmup_steps }) => {
    const timescale = warmup_steps > 0 ? warmup_steps : INVERSE_SQRT_TIMESCALE;
    return 1 / Math.sqrt((step + timescale - warmup_steps) / timescale);
  }),
} as const satisfies Record<string, Schedule>;

export type LrSchedulerType = keyof typeof SCHEDULES;

export const LR_SCHEDULER_TYPES: readonly LrSchedulerType[] = [
  "constant",
  "constant_with_warmup",
  "linear",
  "cosine",
  "cosine_with_restarts",
  "polynomial",
  "inverse_sqrt",
];

/**
 * The learning rate of one update.
 * @param step updates done before it: 0 for the first, whose rate after a warm-up's start is 0. TRL logs this rate
 *   under `step + 1`.
 */
export function learningRateAt(step: number, options: ScheduleOptions): number {
  return options.learning_rate * SCHEDULES[options.lr_scheduler_type](step, options);
}
