import type { Turn } from "./turn.ts";

/**
 * A conversation with its branches: a question that was changed, or asked again, begins another one at its place. Each
 * turn hangs on the one before it; of the turns that hang on the same one, one is shown.
 */
export interface Conversation {
  /** In the order in which they were asked; ids rise. */
  readonly turns: readonly Turn[];
  /** The turn that is shown after a turn (by id, 0 for the beginning). */
  readonly shown: Readonly<Record<number, number>>;
}

export const EMPTY: Conversation = { turns: [], shown: {} };

/** Which of how many, counted from 1. */
export interface Place {
  readonly at: number;
  readonly of: number;
}

/** Where a turn stands among its alternatives. */
export interface Branches {
  /** The questions that were asked here. */
  readonly questions: Place;
  /** The times that this question was asked. */
  readonly replies: Place;
}

/** For the next turn. */
export function nextId({ turns }: Conversation): number {
  return turns.reduce((most, { id }) => Math.max(most, id), 0) + 1;
}

/** The turns that are shown, from the first question on. */
export function pathOf({ turns, shown }: Conversation): readonly Turn[] {
  const path: Turn[] = [];
  for (let id = shown[0]; id !== undefined;) {
    const turn = turns.find((one) => one.id === id);
    if (!turn) break;
    path.push(turn);
    id = shown[turn.id];
  }
  return path;
}

/** With a turn added, which is then shown, or in its newer state, wherever the reader has gone meanwhile. */
export function withTurn({ turns, shown }: Conversation, turn: Turn): Conversation {
  const at = turns.findLastIndex(({ id }) => id === turn.id);
  if (at >= 0) return { turns: turns.with(at, turn), shown };
  return { turns: [...turns, turn], shown: { ...shown, [turn.parent]: turn.id } };
}

/** Without a turn that nothing hangs on; the one before it at its place is shown again. */
export function withoutTurn({ turns, shown }: Conversation, { id, parent }: Turn): Conversation {
  const rest = turns.filter((turn) => turn.id !== id);
  const { [parent]: _, ...others } = shown;
  const before = rest.findLast((turn) => turn.parent === parent);
  return { turns: rest, shown: before ? { ...others, [parent]: before.id } : others };
}

export function branchesOf(conversation: Conversation, turn: Turn): Branches {
  const { questions, replies } = alternatives(conversation, turn);
  return {
    questions: { at: questions.indexOf(turn.asked) + 1, of: questions.length },
    replies: { at: replies.findIndex(({ id }) => id === turn.id) + 1, of: replies.length },
  };
}

/** Shows another question at a turn's place, or another reply to its question. */
export function withBranch(
  conversation: Conversation,
  turn: Turn,
  kind: keyof Branches,
  /** Counted from 1, as in {@link Place}. */
  at: number,
): Conversation {
  const { siblings, questions, replies } = alternatives(conversation, turn);
  // The last reply to a question is the one its reader left.
  const wanted = kind === "replies" ? replies[at - 1] : siblings.findLast(({ asked }) => asked === questions[at - 1]);
  if (!wanted) return conversation;
  return { ...conversation, shown: { ...conversation.shown, [wanted.parent]: wanted.id } };
}

function alternatives({ turns }: Conversation, turn: Turn) {
  const siblings = turns.filter(({ parent }) => parent === turn.parent);
  return {
    siblings,
    questions: [...new Set(siblings.map(({ asked }) => asked))],
    replies: siblings.filter(({ asked }) => asked === turn.asked),
  };
}
