import type { RunHeader } from "../../train/record/run-record.ts";
import type { Tone } from "./scales.ts";
import type { ChartText } from "./texts.ts";

export interface LineSpec {
  /** TRL's name; a `*` stands for a reward function's. */
  readonly metric: string;
  /** What the line is called where the chart has several; a reward function's line has its own name. */
  readonly label: ChartText;
  /** Drawn beside the main line, and only while one run is shown. */
  readonly isPart?: boolean;
}

export interface ChartSpec {
  readonly id: string;
  readonly title: ChartText;
  /** One sentence: what it is, and what to look for. */
  readonly help: ChartText;
  readonly unit: ChartText;
  readonly tone: Tone;
  readonly format: ValueFormat;
  readonly lines: readonly LineSpec[];
  /** Metrics between which the chart is shaded. */
  readonly band?: readonly [low: string, high: string];
  /** The value axis includes these. */
  readonly includes?: readonly number[];
  /** Few and far between: points are marked, and nothing is smoothed. */
  readonly isSparse?: boolean;
  readonly kinds: readonly RunHeader["kind"][];
  /** Why it may stay empty, from the run's configuration. */
  readonly absent?: (header: RunHeader) => ChartText | undefined;
}

export type ValueFormat = "number" | "percent" | "count" | "small";

const GRPO = ["grpo"] as const;
const BOTH = ["grpo", "sft"] as const;

export const CHARTS = {
  reward: {
    id: "reward",
    title: "reward",
    help: "rewardHelp",
    unit: "unitReward",
    tone: "reward",
    format: "number",
    lines: [
      { metric: "reward", label: "lineTotal" },
      { metric: "rewards/*/mean", label: "lineTotal", isPart: true },
    ],
    includes: [0, 1],
    kinds: GRPO,
  },
  length: {
    id: "length",
    title: "length",
    help: "lengthHelp",
    unit: "unitTokens",
    tone: "thought",
    format: "count",
    lines: [{ metric: "completions/mean_length", label: "lineMean" }],
    band: ["completions/min_length", "completions/max_length"],
    includes: [0],
    kinds: GRPO,
  },
  accuracy: {
    id: "accuracy",
    title: "accuracy",
    help: "accuracyHelp",
    unit: "unitShareOfPrompts",
    tone: "ink",
    format: "percent",
    lines: [
      { metric: "eval_accuracy", label: "lineAccuracy" },
      { metric: "eval_pass_at_k", label: "linePass", isPart: true },
      { metric: "eval_cons_at_k", label: "lineCons", isPart: true },
    ],
    includes: [0],
    isSparse: true,
    kinds: BOTH,
    absent: ({ config }) => (config.eval_every === 0 ? "accuracyAbsent" : undefined),
  },
  kl: {
    id: "kl",
    title: "kl",
    help: "klHelp",
    unit: "unitNats",
    tone: "kl",
    format: "small",
    lines: [{ metric: "kl", label: "lineMean" }],
    includes: [0],
    kinds: GRPO,
    absent: (header) => (header.kind === "grpo" && header.config.beta === 0 ? "klAbsent" : undefined),
  },
  entropy: {
    id: "entropy",
    title: "entropy",
    help: "entropyHelp",
    unit: "unitNats",
    tone: "entropy",
    format: "number",
    lines: [{ metric: "entropy", label: "lineMean" }],
    includes: [0],
    kinds: BOTH,
  },
  clip: {
    id: "clip",
    title: "clip",
    help: "clipHelp",
    unit: "unitShareOfTokens",
    tone: "ink",
    format: "percent",
    lines: [
      { metric: "clip_ratio/region_mean", label: "lineBoth" },
      { metric: "clip_ratio/low_mean", label: "lineLow", isPart: true },
      { metric: "clip_ratio/high_mean", label: "lineHigh", isPart: true },
      { metric: "cispo_clip_ratio", label: "lineBoth" },
    ],
    includes: [0, 0.01],
    kinds: GRPO,
  },
  rewardStd: {
    id: "rewardStd",
    title: "rewardStd",
    help: "rewardStdHelp",
    unit: "unitReward",
    tone: "reward",
    format: "number",
    lines: [{ metric: "reward_std", label: "lineMean" }],
    includes: [0],
    kinds: GRPO,
  },
  dead: {
    id: "dead",
    title: "dead",
    help: "deadHelp",
    unit: "unitShareOfGroups",
    tone: "ink",
    format: "percent",
    lines: [{ metric: "frac_reward_zero_std", label: "lineMean" }],
    includes: [0, 1],
    kinds: GRPO,
  },
  cut: {
    id: "cut",
    title: "cut",
    help: "cutHelp",
    unit: "unitShareOfCompletions",
    tone: "thought",
    format: "percent",
    lines: [{ metric: "completions/clipped_ratio", label: "lineMean" }],
    includes: [0, 0.01],
    kinds: GRPO,
  },
  loss: {
    id: "loss",
    title: "loss",
    help: "lossHelp",
    unit: "unitNone",
    tone: "ink",
    format: "small",
    lines: [
      { metric: "loss", label: "lineTotal" },
      { metric: "policy_loss", label: "linePolicy", isPart: true },
    ],
    includes: [0],
    kinds: BOTH,
  },
  gradNorm: {
    id: "gradNorm",
    title: "gradNorm",
    help: "gradNormHelp",
    unit: "unitNone",
    tone: "ink",
    format: "small",
    lines: [{ metric: "grad_norm", label: "lineMean" }],
    includes: [0],
    kinds: BOTH,
  },
  learningRate: {
    id: "learningRate",
    title: "learningRate",
    help: "learningRateHelp",
    unit: "unitNone",
    tone: "ink",
    format: "small",
    lines: [{ metric: "learning_rate", label: "lineMean" }],
    includes: [0],
    kinds: BOTH,
  },
  sampling: {
    id: "sampling",
    title: "sampling",
    help: "samplingHelp",
    unit: "unitNats",
    tone: "ink",
    format: "small",
    lines: [
      { metric: "sampling/sampling_logp_difference/mean", label: "lineMean" },
      { metric: "sampling/sampling_logp_difference/max", label: "lineMax", isPart: true },
    ],
    includes: [0],
    kinds: GRPO,
    absent: ({ kind, config }) => (kind === "grpo" && config.temperature !== 1 ? "samplingAbsent" : undefined),
  },
  speed: {
    id: "speed",
    title: "speed",
    help: "speedHelp",
    unit: "unitTokensPerSecond",
    tone: "ink",
    format: "count",
    lines: [
      { metric: "throughput/rollout_tokens_per_second", label: "lineRollout" },
      { metric: "throughput/update_tokens_per_second", label: "lineUpdate", isPart: true },
    ],
    includes: [0],
    kinds: GRPO,
  },
  stepTime: {
    id: "stepTime",
    title: "stepTime",
    help: "stepTimeHelp",
    unit: "unitSeconds",
    tone: "ink",
    format: "number",
    lines: [{ metric: "step_time", label: "lineMean" }],
    includes: [0],
    kinds: BOTH,
  },
} as const satisfies Readonly<Record<string, ChartSpec>>;

export type ChartName = keyof typeof CHARTS;

/** A chart's place: what has been learned, how the policy moves, how the update and the machine fare. */
export const CHART_SECTIONS: readonly { readonly title: ChartText; readonly charts: readonly ChartName[] }[] = [
  { title: "sectionLearning", charts: ["reward", "length", "accuracy"] },
  { title: "sectionPolicy", charts: ["kl", "entropy", "clip", "rewardStd", "dead", "cut"] },
  { title: "sectionUpdate", charts: ["loss", "gradNorm", "learningRate", "sampling", "speed", "stepTime"] },
];
