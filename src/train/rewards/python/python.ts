import type { RewardContext } from "../reward.ts";
import { REWARDS } from "../rewards.ts";
import { PYTHON_CHECKS } from "./checks.ts";
import { PYTHON_REWARDS } from "./functions.ts";
import { PYTHON_GRADER } from "./grader.ts";
import { pythonHelpers } from "./helpers.ts";
import { pythonString, pythonValue } from "./literals.ts";

/** What the functions are made for. */
export interface PythonRewardOptions {
  readonly context: RewardContext;
  /** Rows of a group; `length` compares within one. */
  readonly numGenerations: number;
  /** The task whose checker says what is right; null where the column `solution` does. */
  readonly task: string | null;
  /** What the chat template has already written of every completion (`<think>\n`). */
  readonly opening: string;
  /** The run's rewards and their weights, for trainers that want one number. */
  readonly weights: readonly (readonly [reward: string, weight: number])[];
}

/** `cosineMaxLen` as `COSINE_MAX_LEN`. */
function constantName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/** Where a docstring goes in: after the one line of the function that defines the reward. */
function withDocstring(source: string, name: string, description: string): string {
  const head = `def ${name}(completions, **kwargs):\n`;
  return source.replace(head, () => `${head}    """${description}"""\n`);
}

/**
 * `rewards.py`: every reward of the table as a function `(completions, **kwargs) -> list[float | None]`, TRL's signature.
 * Needs Python 3.9 and nothing but its standard library; Math-Verify is used where it is installed.
 */
export function pythonRewards({ context, numGenerations, task, opening, weights }: PythonRewardOptions): string {
  const constants = Object.entries({ ...context, numGenerations }).map(
    ([name, value]) => `${constantName(name)} = ${pythonValue(value)}`,
  );
  const functions = [...REWARDS.values()].map(({ name, description }) =>
    withDocstring(PYTHON_REWARDS[name]?.() ?? "", name, description),
  );
  const checks = Object.keys(PYTHON_CHECKS).map((name) => `${pythonString(name)}: check_${name}`);
  const weighted = weights.map(([name, weight]) => `(${name}, ${pythonValue(weight)})`);
  return [
    `"""Reward functions of GRPO: \`fn(completions, **kwargs) -> list[float | None]\`, as TRL calls them."""

import math
import re
import unicodedata
from fractions import Fraction
from typing import NamedTuple

${constants.join("\n")}
# The task whose checker says what is right; None where the column "solution" does.
TASK = ${pythonValue(task)}
# What the chat template has already written of every completion.
OPENING = ${pythonString(opening)}
`,
    pythonHelpers(),
    PYTHON_GRADER,
    ...Object.values(PYTHON_CHECKS).map((source) => `\n${source()}`),
    `\n\nCHECKS = {${checks.join(", ")}}`,
    ...functions.map((source) => `\n${source}`),
    `

WEIGHTED = [${weighted.join(", ")}]


def total(completions, **kwargs):
    """The weighted sum of the run's rewards; one that does not apply counts for nothing."""
    scores = [(weight, reward(completions, **kwargs)) for reward, weight in WEIGHTED]
    return [sum(w * s[i] for w, s in scores if s[i] is not None) for i in range(len(completions))]
`,
  ].join("\n");
}
