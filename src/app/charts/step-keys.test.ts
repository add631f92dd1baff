import { expect, it } from "vitest";
import { stepKeys } from "./step-keys.ts";

it.each([
  ["ArrowRight", 5, 6],
  ["ArrowUp", 5, 6],
  ["ArrowLeft", 5, 4],
  ["ArrowLeft", 1, 1],
  ["PageUp", 5, 15],
  ["PageUp", 18, 20],
  ["PageDown", 5, 1],
  ["Home", 5, 1],
  ["End", 5, 20],
  ["a", 5, undefined],
  ["Tab", 5, undefined],
])("%s leads from step %d of 1 to 20 to %s", (key, step, to) => {
  expect(stepKeys(key, step, 1, 20)).toBe(to);
});
