import { expect, it } from "vitest";
import { arithmetic } from "./model-card.mjs";

it("counts the results of a text and those that are right, chains included", () => {
  expect(arithmetic([" 9 * 3 = 27 - 4 = 23 ; 5 + 7 = 13 ;", "make 12 ; 30 - 18 = 12 ; ok", "nothing"])).toEqual({
    n: 4,
    right: 3,
  });
});
