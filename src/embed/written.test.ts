import { expect, it } from "vitest";
import { writtenSince } from "./written.ts";

it("what was written since is told by sample and channel, once", () => {
  const before = [{ think: "Hm", answer: "" }];
  const after = [
    { think: "Hmm", answer: "Yes" },
    { think: "So", answer: "" },
  ];
  expect(writtenSince(before, after)).toEqual([
    { sample: 0, channel: "think", text: "m" },
    { sample: 0, channel: "answer", text: "Yes" },
    { sample: 1, channel: "think", text: "So" },
  ]);
  expect(writtenSince(after, after)).toEqual([]);
});
