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

/** Candidates that an answer is compared with: a vote is counted at every update. */
const MAX_COMPARED = 16;
const MAX_KNOWN = 4_000;

const known = new Map<string, boolean>();

/** Do two written forms give the same answer, as 0.5 and 1/2 do? Each pair is graded once. */
function areSame(a: string, b: string): boolean {
  // Longer ones are shown in part, and parts tell nothing.
  if (Math.max(a.length, b.length) > MAX_SHOWN) return false;
  const pair = JSON.stringify([a, b]);
  const found = known.get(pair);
  if (found !== undefined) return found;
  if (known.size >= MAX_KNOWN) known.clear();
  const same = gradeAnswer(a, b) === true && gradeAnswer(b, a) === true;
  known.set(pair, same);
  return same;
}

interface Group {
  readonly ballot: Ballot;
  readonly samples: number[];
}

/** The group of a ballot: of those written alike, else of those with an equal answer. */
function groupOf(groups: ReadonlyMap<string, Group>, { key, answer }: Ballot): Group | undefined {
  const alike = groups.get(key);
  if (alike) return alike;
  return [...new Set(groups.values())].slice(0, MAX_COMPARED).find(({ ballot }) => areSame(ballot.answer, answer));
}

/** Counts the replies that have finished. */
export function countVotes(replies: readonly Reply[], check: Check | undefined): Vote {
  const byKey = new Map<string, Group>();
  let finished = 0;
  let unanswered = 0;
  for (const [sample, reply] of replies.entries()) {
    if (reply.phase !== "finished") continue;
    finished++;
    const ballot = ballotOf(reply);
    if (!ballot) {
      unanswered++;
      continue;
    }
    const group = groupOf(byKey, ballot) ?? { ballot, samples: [] };
    group.samples.push(sample);
    byKey.set(ballot.key, group);
  }
  const verdicts = replies.map((reply) => {
    if (!check || reply.phase !== "finished") return undefined;
    return reply.answer.trim() !== "" && check(reply.answer);
  });
  const candidates = [...new Set(byKey.values())]
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
