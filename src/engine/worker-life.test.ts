import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { holdLife, LifeWatch, MAX_SILENCE_MS } from "./worker-life.ts";
import type { LifeMessage, Locks } from "./worker-life.ts";

/** One browser's locks; `endHolders` is the end of whoever holds one. */
function fakeLocks() {
  const held = new Map<string, () => void>();
  const locks: Locks = {
    request: async (name, { signal }, then) => {
      while (held.has(name)) {
        await new Promise<void>((resolve, reject) => {
          const end = held.get(name);
          held.set(name, () => (end?.(), resolve()));
          signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
        });
      }
      const gone = new Promise<void>((resolve) => held.set(name, resolve));
      await Promise.race([then(), gone]);
      held.delete(name);
    },
  };
  return {
    locks,
    endHolders: () => {
      const ends = [...held.values()];
      held.clear();
      for (const end of ends) end();
    },
  };
}

describe("a worker's life", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("that ends is noticed at once, and no sooner, however long the worker computes", async () => {
    const { locks, endHolders } = fakeLocks();
    const onEnd = vi.fn();
    const ping = vi.fn();
    const watch = new LifeWatch({ ping, onEnd, locks });
    void holdLife((message) => watch.hear(message), locks);
    await vi.advanceTimersByTimeAsync(10 * MAX_SILENCE_MS);
    expect(onEnd).not.toHaveBeenCalled();
    expect(ping).not.toHaveBeenCalled();
    endHolders();
    await vi.advanceTimersByTimeAsync(1);
    expect(onEnd).toHaveBeenCalledTimes(1);
  });

  it("that the page itself ends is no loss", async () => {
    const { locks, endHolders } = fakeLocks();
    const onEnd = vi.fn();
    const watch = new LifeWatch({ ping: () => undefined, onEnd, locks });
    void holdLife((message) => watch.hear(message), locks);
    await vi.advanceTimersByTimeAsync(1);
    watch.stop();
    endHolders();
    await vi.advanceTimersByTimeAsync(2 * MAX_SILENCE_MS);
    expect(onEnd).not.toHaveBeenCalled();
  });

  it.each([
    ["there are no locks", undefined],
    ["locks are refused", { request: async () => Promise.reject(new DOMException("no", "SecurityError")) }],
  ])("is asked for where %s, and given up after a long silence only", async (_, locks: Locks | undefined) => {
    const onEnd = vi.fn();
    let answers = true;
    const said: LifeMessage = { type: "life", lock: undefined };
    const ping = vi.fn(() => answers && watch.hear(said));
    const watch = new LifeWatch({ ping, onEnd, locks, now: () => Date.now() });
    void holdLife((message) => watch.hear(message), locks);
    await vi.advanceTimersByTimeAsync(2 * MAX_SILENCE_MS);
    expect(ping).toHaveBeenCalled();
    expect(onEnd).not.toHaveBeenCalled();
    answers = false;
    await vi.advanceTimersByTimeAsync(MAX_SILENCE_MS - 60_000);
    expect(onEnd).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(120_000);
    expect(onEnd).toHaveBeenCalledTimes(1);
  });
});
