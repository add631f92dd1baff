import { expect, it, vi } from "vitest";
import { inSlices } from "./slices.ts";

it("work that goes on with more work lets the page have its turn in between", async () => {
  const spent: number[] = [];
  let turns = 0;
  const count = (): void => {
    turns++;
    if (spent.length < 40) setTimeout(count);
  };
  setTimeout(count);
  const busy = (): void => {
    const until = performance.now() + 4;
    while (performance.now() < until);
    spent.push(performance.now());
    if (spent.length < 40) inSlices(busy);
  };
  inSlices(busy);
  await vi.waitFor(() => expect(spent).toHaveLength(40));
  // 160 ms of work in slices of 12.
  expect(turns).toBeGreaterThan(5);
});

it("work that was withdrawn is not done", async () => {
  const done: string[] = [];
  const cancels = ["a", "b", "c"].map((name) =>
    inSlices(() => {
      const until = performance.now() + 13;
      while (performance.now() < until);
      done.push(name);
    }),
  );
  cancels[1]?.();
  await vi.waitFor(() => expect(done).toContain("c"));
  expect(done).toEqual(["a", "c"]);
});
