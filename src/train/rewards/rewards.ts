import { R1Error } from "../../errors.ts";
import { accuracy } from "./accuracy.ts";
import { cosine } from "./cosine.ts";
import { countdown } from "./countdown.ts";
import { format } from "./format.ts";
import { languageConsistency } from "./language-consistency.ts";
import { length } from "./length.ts";
import { reasoningAccuracy } from "./reasoning-accuracy.ts";
import { reasoningSteps } from "./reasoning-steps.ts";
import { repetitionWords } from "./repetition-words.ts";
import { repetition } from "./repetition.ts";
import type { Reward } from "./reward.ts";
import { softOverlong } from "./soft-overlong.ts";
import { tagCount } from "./tag-count.ts";
import { thinkFormat } from "./think-format.ts";

const ALL: readonly Reward[] = [
  accuracy,
  reasoningAccuracy,
  format,
  thinkFormat,
  tagCount,
  reasoningSteps,
  length,
  cosine,
  softOverlong,
  repetition,
  repetitionWords,
  languageConsistency,
  countdown,
];

/** Every reward by its name. */
export const REWARDS: ReadonlyMap<string, Reward> = new Map(ALL.map((reward) => [reward.name, reward]));

/** @throws R1Error E_OPTION for a name that is in no table */
export function parseRewards(names: readonly string[]): Reward[] {
  return names.map((name) => {
    const reward = REWARDS.get(name);
    if (reward) return reward;
    const known = [...REWARDS.keys()].join(", ");
    throw new R1Error("E_OPTION", `unknown reward ${name}; known are ${known}`, { reward: name, known });
  });
}
