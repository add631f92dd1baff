import type { TokenInfo } from "./token-log.ts";

/** What a reply's tokens show: nothing but their text, how probable each was, or how open the choice was. */
export const TOKEN_VIEWS = ["text", "probability", "entropy"] as const;
export type TokenView = (typeof TOKEN_VIEWS)[number];

/** The steps of the ramp; the strongest is the least expected token, or the most open choice. */
export const HEAT_STEPS = 5;

/** Lower ends of the steps above the first. */
const ENTROPY_NATS = [0.25, 0.75, 1.5, 2.5] as const;
const PROBABILITY = [0.9, 0.5, 0.2, 0.05] as const;

/** Where a token stands on the ramp, 0 to {@link HEAT_STEPS} − 1. */
export function heatOf({ logprob, entropy }: TokenInfo, view: Exclude<TokenView, "text">): number {
  if (view === "entropy") return ENTROPY_NATS.filter((least) => entropy >= least).length;
  const probability = Math.exp(logprob);
  return PROBABILITY.filter((most) => probability < most).length;
}

/** The ends between the steps, for a legend: `0.25` nats, or shares of 1. */
export function heatBounds(view: Exclude<TokenView, "text">): readonly number[] {
  return view === "entropy" ? ENTROPY_NATS : PROBABILITY;
}
