import { describe, expect, it } from "vitest";
import { demonstrationOf, promptField, promptText } from "./rows.ts";

const row = (fields: object) => ({ line: 3, fields: { ...fields } });
const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });
const refusal = (field: string, ...words: string[]): unknown =>
  expect.objectContaining({
    code: "E_FORMAT",
    message: expect.stringMatching(new RegExp(`^d\\.jsonl, line 3: ${field} is .*${words.join(".*")}`)) as string,
    details: { file: "d.jsonl", line: 3, field },
  });

describe("a row's prompt", () => {
  it("is text, a user's message, or a whole conversation", () => {
    expect(promptField(row({ prompt: "2 + 3" }), "d.jsonl")).toBe("2 + 3");
    expect(promptField(row({ prompt: [user("2 + 3")] }), "d.jsonl")).toBe("2 + 3");
    const conversation = [{ role: "system", content: "In one line." }, user("a"), assistant("b"), user("c")];
    expect(promptField(row({ prompt: conversation }), "d.jsonl")).toEqual(conversation);
    expect(
      promptText([
        { role: "system", content: "x" },
        { role: "user", content: "y" },
      ]),
    ).toBe("system: x\n\nuser: y");
  });

  it.each([
    [{ solution: "5" }, ["missing"]],
    [{ prompt: null }, ["null"]],
    [{ prompt: 5 }, ["a number"]],
    [{ prompt: { role: "user", content: "x" } }, ["an? object"]],
    [{ prompt: [] }, ["a list", "empty"]],
    [{ prompt: ["x"] }, ["a list", "messages\\[0\\]"]],
    [{ prompt: [user("x"), { role: "robot", content: "y" }] }, ["a list", "messages\\[1\\].role"]],
    [{ prompt: [user("x"), assistant(7)] }, ["a list", "messages\\[1\\].content"]],
    [{ prompt: [{ role: "user" }] }, ["a list", "messages\\[0\\].content"]],
  ])("%j is refused, naming file, line, field and message", (fields, words) => {
    expect(() => promptField(row(fields), "d.jsonl")).toThrow(refusal("prompt", ...words));
  });
});

describe("a demonstration", () => {
  const of = (fields: object) => demonstrationOf(row(fields), "d.jsonl");

  it("is a prompt and a completion, each text or messages", () => {
    const wanted = { prompt: "2 + 3", completion: "5" };
    expect(of({ prompt: "2 + 3", completion: "5" })).toEqual(wanted);
    expect(of({ prompt: [user("2 + 3")], completion: [assistant("5")] })).toEqual(wanted);
    expect(of({ prompt: "2 + 3", completion: [assistant("5")] })).toEqual(wanted);
  });

  it("is a conversation whose last message is the reply", () => {
    expect(of({ messages: [user("2 + 3"), assistant("5")] })).toEqual({ prompt: "2 + 3", completion: "5" });
    const messages = [{ role: "system", content: "Short." }, user("a"), assistant("b"), user("c"), assistant("d")];
    expect(of({ messages })).toEqual({ prompt: messages.slice(0, -1), completion: "d" });
  });

  it.each(["reasoning_content", "reasoning", "thinking"])("takes the thought that a message holds as %s", (name) => {
    const completion = "<think>\nhm\n</think>\n\n5";
    expect(of({ messages: [user("x"), { ...assistant("\n\n5"), [name]: "\nhm\n" }] }).completion).toBe(completion);
    expect(of({ prompt: "x", completion: [{ ...assistant("5"), [name]: "hm" }] }).completion).toBe(completion);
    expect(of({ prompt: "x", completion: [{ ...assistant("5"), [name]: null }] }).completion).toBe("5");
    // The content has it already.
    expect(of({ prompt: "x", completion: [{ ...assistant(completion), [name]: "hm" }] }).completion).toBe(completion);
  });

  it.each<[object, string, string[]]>([
    [{ prompt: "x" }, "completion", ["missing"]],
    [{ prompt: "x", completion: 5 }, "completion", ["a number"]],
    [{ prompt: "x", completion: [user("5")] }, "completion", ["1 messages", "user"]],
    [{ prompt: "x", completion: [assistant("5"), user("6"), assistant("7")] }, "completion", ["3 messages"]],
    [{ messages: [user("x")] }, "messages", ["1 messages", "user's"]],
    [{ messages: [assistant("x")] }, "messages", ["1 messages"]],
    [{ messages: "x" }, "messages", ["a string"]],
    [{ prompt: "x", completion: [{ ...assistant("5"), thinking: 3 }] }, "completion", ["a number as thinking"]],
  ])("%j is refused, naming file, line and field", (fields, field, words) => {
    expect(() => of(fields)).toThrow(refusal(field, ...words));
  });
});
