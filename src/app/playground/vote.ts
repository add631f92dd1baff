import { canonicalString } from "../../train/grader/clean.ts";
import { extractAnswer } from "../../train/grader/extract.ts";
import { gradeAnswer } from "../../train/grader/grade.ts";
import { countdown } from "../../train/tasks/countdown.ts";
import { completionOf } from "../../train/tasks/task.ts";
import type { Reply } from "./turn.ts";

/** What a sample voted for. */
export interface Ballot {
  /** The answer as it is shown. */
  readonly answer: string;
  /** Equal for answers that count as the same. */
  readonly key: string;
}

/** The samples that gave the same answer. */
export interface Candidate extends Ballot {
  /** From 0. */
  readonly samples: readonly number[];
  /** Undefined where nobody knows. */
  readonly isRight: boolean | undefined;
}

export interface Vote {
  /** Most votes first; of those with as many, the one whose first sample comes first. */
  readonly candidates: readonly Candidate[];
  /** Samples that have finished, those without an answer too. */
  readonly finished: number;
  readonly unanswered: number;
  /** By sample; undefined while it is not finished or nobody knows. */
  readonly verdicts: readonly (boolean | undefined)[];
  /** Undefined where nobody knows. */
  readonly right: number | undefined;
}

const MAX_SHOWN = 80;

/** How an answer is checked: by the question itself, or against what the reader says is right. */
export type Check = (answer: string) => boolean;

const COUNTDOWN = /^\s*make (\d{1,3}) from (\d{1,3}(?: \d{1,3}){1,5})\s*$/i;

/** The check that a question brings with it: "make 23 from 4 3 9" needs nobody to know the answer. */
export function checkOfQuestion(question: string): Check | undefined {
  const [, target, numbers] = COUNTDOWN.exec(question) ?? [];
  if (target === undefined || numbers === undefined) return undefined;
  const columns = { numbers: numbers.split(" ").map(Number), target: Number(target) };
  return (answer) => countdown.check(columns, completionOf("", answer));
}

/** The check against an answer that the reader gives; none for one in which no answer can be found. */
export function checkAgainst(expected: string): Check | undefined {
  if (expected.trim() === "" || gradeAnswer(expected, expected) === undefined) return undefined;
  return (answer) => gradeAnswer(expected, answer) === true;
}

// A finished reply never changes, and is asked about at every update of the others.
const ballots = new WeakMap<Reply, Ballot | undefined>();

/** What a finished reply votes for: the answer found in its text. Undefined for one without. */
export function ballotOf(reply: Reply): Ballot | undefined {
  if (reply.phase !== "finished") return undefined;
  if (!ballots.has(reply)) ballots.set(reply, readBallot(reply.answer));
  return ballots.get(reply);
}

function readBallot(text: string): Ballot | undefined {
  const whole = text.trim();
  if (whole === "") return undefined;
  const answer = (extractAnswer(whole)?.text ?? whole).replaceAll(/\s+/g, " ").trim();
  const key = canonicalString(answer).toLowerCase();
  return {
    key: key === "" ? answer : key,
    answer: answer.length > MAX_SHOWN ? `${answer.slice(0, MAX_SHOWN)}…` : answer,
  };
}

/** Counts the replies that have finished. */
export function countVotes(replies: readonly Reply[], check: Check | undefined): Vote {
  const byKey = new Map<string, { readonly ballot: Ballot; readonly samples: number[] }>();
  let finished = 0;
  let unanswered = 0;
  for (const [sample, reply] of replies.entries()) {
    if (reply.phase !== "finished") continue;
    finished++;
    const ballot = ballotOf(reply);
    if (!ballot) unanswered++;
    else if (!byKey.has(ballot.key)) byKey.set(ballot.key, { ballot, samples: [sample] });
    else byKey.get(ballot.key)?.samples.push(sample);
  }
  const verdicts = replies.map((reply) => {
    if (!check || reply.phase !== "finished") return undefined;
    return reply.answer.trim() !== "" && check(reply.answer);
  });
  const candidates = [...byKey.values()]
    .map(({ ballot, samples }) => ({ ...ballot, samples, isRight: verdicts[samples[0] ?? 0] }))
    .toSorted((a, b) => b.samples.length - a.samples.length);
  const right = check ? verdicts.filter((verdict) => verdict === true).length : undefined;
  return { candidates, finished, unanswered, verdicts, right };
}

/**
 * Chance that at least one of k samples is right, unbiased (Chen et al. 2021, Codex, §2.1): 1 − C(n − c, k) / C(n, k).
 * @param n samples
 * @param c of which right
 * @param k from 1 to n
 */
export function passAtK(n: number, c: number, k: number): number {
  if (n - c < k) return 1;
  let noneRight = 1;
  for (let i = n - c + 1; i <= n; i++) noneRight *= 1 - k / i;
  return 1 - noneRight;
}
