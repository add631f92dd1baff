import { R1Error } from "../../errors.ts";
import { Rng } from "../rng.ts";
import { addition } from "./addition.ts";
import { bilingual } from "./bilingual.ts";
import { countdown } from "./countdown.ts";
import type { Problem, Task } from "./task.ts";

/** Every task, by the name that commands and pages use. */
export const TASKS: ReadonlyMap<string, Task> = new Map(
  [countdown, addition, bilingual].map((task) => [task.name, task]),
);

/** @throws R1Error E_OPTION naming the tasks there are */
export function parseTask(name: string): Task {
  const task = TASKS.get(name);
  if (task) return task;
  const known = [...TASKS.keys()].join(", ");
  throw new R1Error("E_OPTION", `unknown task ${JSON.stringify(name)}; tasks are ${known}`, { option: "task" });
}

/** Stands apart from the addresses of a run, so that its evaluation sees other problems. */
const SAMPLES = 0x5a;

/** Held-out problems to look at: the same for the same seed, and never trained on. */
export function heldOutProblems(task: Task, level: number | undefined, count: number, seed: number): Problem[] {
  return Array.from({ length: count }, (_, i) => task.sample(new Rng(seed, SAMPLES, i), "heldout", level));
}
