import { R1Error } from "../errors.ts";
import { MAX_ALTERNATIVES } from "../kernels/sample/top-alternatives.ts";

/** Settings of one request; names and meaning as in Hugging Face's generation config, in camel case. */
export interface GenerateOptions {
  readonly maxNewTokens: number;
  /** 0 decodes greedily. DeepSeek recommends 0.6 for R1 (0.5 to 0.7). */
  readonly temperature: number;
  readonly topP: number;
  /** 0 is off. */
  readonly topK: number;
  /** Tokens less probable than this share of the most probable one are dropped; 0 is off. */
  readonly minP: number;
  /** 1 is off. */
  readonly repetitionPenalty: number;
  readonly seed: number;
  /** Samples of the same prompt, decoded in one batch. */
  readonly n: number;
  /** A thought ending before this many tokens goes on with "Wait" (s1, Muennighoff et al. 2025); 0 is off. */
  readonly thinkMin: number;
  /** A thought of this many tokens is ended by force; 0 is off. */
  readonly thinkMax: number;
  /** Most probable tokens reported with each token; 0 is off. */
  readonly alternatives: number;
}

export const DEFAULT_OPTIONS: GenerateOptions = Object.freeze({
  maxNewTokens: 512,
  temperature: 0.6,
  topP: 0.95,
  topK: 0,
  minP: 0,
  repetitionPenalty: 1,
  seed: 0,
  n: 1,
  thinkMin: 0,
  thinkMax: 0,
  alternatives: 0,
});

interface Range {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
}

const RANGES = {
  maxNewTokens: { min: 1, max: 1_000_000, whole: true },
  temperature: { min: 0, max: 100, whole: false },
  topP: { min: Number.MIN_VALUE, max: 1, whole: false },
  topK: { min: 0, max: 10_000_000, whole: true },
  minP: { min: 0, max: 1, whole: false },
  repetitionPenalty: { min: 0.01, max: 100, whole: false },
  seed: { min: 0, max: 0xffff_ffff, whole: true },
  n: { min: 1, max: 256, whole: true },
  thinkMin: { min: 0, max: 1_000_000, whole: true },
  thinkMax: { min: 0, max: 1_000_000, whole: true },
  alternatives: { min: 0, max: MAX_ALTERNATIVES, whole: true },
} as const satisfies Record<keyof GenerateOptions, Range>;

const OPTION_NAMES = [
  "maxNewTokens",
  "temperature",
  "topP",
  "topK",
  "minP",
  "repetitionPenalty",
  "seed",
  "n",
  "thinkMin",
  "thinkMax",
  "alternatives",
] as const satisfies readonly (keyof GenerateOptions)[];

/**
 * Fills in defaults and checks every value.
 * @throws R1Error E_OPTION naming the option, what was found and what is allowed
 */
export function resolveOptions(given: Partial<GenerateOptions>): GenerateOptions {
  const options = { ...DEFAULT_OPTIONS, ...given };
  for (const name of OPTION_NAMES) {
    const { min, max, whole } = RANGES[name];
    const value = options[name];
    if (!Number.isFinite(value) || value < min || value > max || (whole && !Number.isInteger(value))) {
      const kind = whole ? "a whole number" : "a number";
      const low = min === Number.MIN_VALUE ? "above 0" : `from ${min}`;
      throw new R1Error("E_OPTION", `${name} is ${value}; expected ${kind} ${low} to ${max}`, { option: name });
    }
  }
  if (options.thinkMax > 0 && options.thinkMin > options.thinkMax) {
    throw new R1Error("E_OPTION", `thinkMin ${options.thinkMin} is above thinkMax ${options.thinkMax}`, {
      option: "thinkMin",
    });
  }
  return options;
}
