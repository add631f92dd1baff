import { describe, expect, it } from "vitest";
import { branchesOf, EMPTY, nextId, pathOf, withBranch, withoutTurn, withTurn } from "./conversation.ts";
import type { Conversation } from "./conversation.ts";
import { newTurn } from "./turn.ts";
import type { Turn } from "./turn.ts";

/** Asks at a place; `again` repeats that turn's question. */
function ask(conversation: Conversation, question: string, parent: number, again?: Turn): Conversation {
  const id = nextId(conversation);
  return withTurn(conversation, newTurn({ id, parent, asked: again?.asked ?? id, number: 1 }, question, 1, 0));
}

const shown = (conversation: Conversation): string[] =>
  pathOf(conversation).map(({ id, question }) => `${question}${id}`);
const turnOf = (conversation: Conversation, id: number): Turn => {
  const turn = conversation.turns.find((one) => one.id === id);
  if (!turn) throw new Error(`no turn ${id}`);
  return turn;
};

describe("a conversation", () => {
  // a1 ─ b2, then a asked again (a3), then changed to c4, which has d5 after it.
  let conversation = ask(ask(EMPTY, "a", 0), "b", 1);
  conversation = ask(conversation, "a", 0, turnOf(conversation, 1));
  conversation = ask(ask(conversation, "c", 0), "d", 4);

  it("shows the branch that was asked last", () => {
    expect(shown(conversation)).toEqual(["c4", "d5"]);
  });

  it("knows which question and which reply of how many each turn is", () => {
    expect(branchesOf(conversation, turnOf(conversation, 1))).toEqual({
      questions: { at: 1, of: 2 },
      replies: { at: 1, of: 2 },
    });
    expect(branchesOf(conversation, turnOf(conversation, 4))).toEqual({
      questions: { at: 2, of: 2 },
      replies: { at: 1, of: 1 },
    });
  });

  it("goes to another question, and comes back to what stood after it", () => {
    const first = withBranch(conversation, turnOf(conversation, 4), "questions", 1);
    expect(shown(first)).toEqual(["a3"]);
    const earlier = withBranch(first, turnOf(first, 3), "replies", 1);
    expect(shown(earlier)).toEqual(["a1", "b2"]);
    expect(shown(withBranch(earlier, turnOf(earlier, 1), "questions", 2))).toEqual(["c4", "d5"]);
  });

  it("stays where it is when there is no such branch", () => {
    for (const at of [0, 3]) {
      expect(withBranch(conversation, turnOf(conversation, 4), "questions", at)).toBe(conversation);
    }
  });

  it("replaces a turn by its newer state in place", () => {
    const newer = withTurn(conversation, { ...turnOf(conversation, 5), question: "e" });
    expect(shown(newer)).toEqual(["c4", "e5"]);
    expect(newer.turns).toHaveLength(5);
    // The reader has gone to another branch while it streams.
    const elsewhere = withBranch(newer, turnOf(newer, 4), "questions", 1);
    expect(shown(withTurn(elsewhere, turnOf(newer, 4)))).toEqual(["a3"]);
  });

  it("without a turn shows what was there before", () => {
    const without = withoutTurn(conversation, turnOf(conversation, 5));
    expect(shown(without)).toEqual(["c4"]);
    expect(shown(withoutTurn(without, turnOf(without, 4)))).toEqual(["a3"]);
    expect(shown(withoutTurn(ask(EMPTY, "a", 0), turnOf(conversation, 1)))).toEqual([]);
  });
});
