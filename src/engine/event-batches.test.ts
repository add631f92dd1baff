import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { EventBatches } from "./event-batches.ts";

describe("EventBatches", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const start = () => {
    const posted: (readonly number[])[] = [];
    return { posted, batches: new EventBatches<number>((events) => posted.push(events), 16) };
  };

  it("posts the events of a step together, at once when nothing was posted lately", () => {
    const { posted, batches } = start();
    for (const event of [1, 2, 3]) batches.push(event);
    expect(posted).toEqual([]);
    vi.advanceTimersByTime(0);
    expect(posted).toEqual([[1, 2, 3]]);
  });

  it("posts at most once in its interval, and loses nothing", () => {
    const { posted, batches } = start();
    for (let event = 0; event < 100; event++) {
      batches.push(event);
      vi.advanceTimersByTime(1);
    }
    batches.close();
    expect(posted.length).toBeLessThanOrEqual(Math.ceil(100 / 16) + 1);
    expect(posted.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it("posts what waits when it is closed, and nothing after", () => {
    const { posted, batches } = start();
    batches.push(1);
    batches.close();
    batches.push(2);
    vi.runAllTimers();
    expect(posted).toEqual([[1]]);
  });
});
