import { describe, expect, it, vi } from "vitest";
import { EngineClient } from "./client.ts";
import type { EngineWorker } from "./client.ts";
import type { FromWorker, GenerateEvent, ToWorker } from "./protocol.ts";
import { collect, failure, failureCode } from "./testing.ts";

/** A worker that does what the test says. */
function fakeWorker(onPost: (message: ToWorker) => void = () => undefined) {
  const posted: ToWorker[] = [];
  let send = (_message: FromWorker): void => undefined;
  let fail = (_reason: string): void => undefined;
  let terminated = false;
  const worker: EngineWorker = {
    post: (message) => {
      posted.push(message);
      onPost(message);
    },
    onMessage: (listener) => (send = listener),
    onFailure: (listener) => (fail = listener),
    terminate: () => (terminated = true),
  };
  const client = new EngineClient(worker);
  return {
    client,
    posted,
    send: (message: FromWorker) => send(message),
    fail: (reason: string) => fail(reason),
    isTerminated: () => terminated,
  };
}

const token = (index: number): GenerateEvent => ({
  type: "token",
  prompt: 0,
  sample: 0,
  index,
  id: index,
  text: "",
  channel: "answer",
  logprob: 0,
  entropy: 0,
  at: index,
});
const call = { prompt: { ids: [1] }, options: {} };
const load = { source: { kind: "url", baseUrl: "http://x/" } } as const;

describe("EngineClient", () => {
  it("gives each call an id of its own, and each answer to its call", async () => {
    const { client, posted, send } = fakeWorker();
    const [first, second] = [client.unload(), failureCode(client.unload())];
    const ids = posted.map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
    send({ type: "error", id: ids[1] ?? 0, error: { code: "E_BUSY", message: "second", details: {} } });
    send({ type: "result", id: ids[0] ?? 0, method: "unload", result: undefined });
    send({ type: "result", id: 99, method: "unload", result: undefined });
    await expect(first).resolves.toBeUndefined();
    expect(await second).toBe("E_BUSY");
  });

  it("hands on what arrived before an error, then the error with its details", async () => {
    const { client, send } = fakeWorker(({ id }) => {
      send({ type: "progress", id, method: "generate", progress: [token(0), token(1)] });
      send({ type: "progress", id, method: "generate", progress: [token(2)] });
      send({ type: "error", id, error: { code: "E_KV_FULL", message: "full", details: { rows: 3 } } });
    });
    const events: GenerateEvent[] = [];
    const reading = (async () => {
      for await (const event of client.generate(call)) events.push(event);
    })();
    expect(await failure(reading)).toMatchObject({ code: "E_KV_FULL", message: "full", details: { rows: 3 } });
    expect(events).toHaveLength(3);
  });

  it("gives up a worker that goes on loading after it was asked to stop, and no other", async () => {
    vi.useFakeTimers();
    try {
      for (const stops of [true, false]) {
        const { client, send, isTerminated } = fakeWorker((message) => {
          if (!stops || message.type !== "cancel") return;
          setTimeout(
            () => send({ type: "error", id: message.id, error: { code: "E_ABORTED", message: "", details: {} } }),
            9000,
          );
        });
        const told: string[] = [];
        client.onLost(({ code }) => told.push(code));
        const abort = new AbortController();
        const loading = failureCode(client.load(load, { signal: abort.signal }));
        await vi.advanceTimersByTimeAsync(60_000);
        expect(isTerminated()).toBe(false);
        abort.abort();
        await vi.advanceTimersByTimeAsync(60_000);
        expect(await loading).toBe(stops ? "E_ABORTED" : "E_WORKER");
        expect(told).toEqual(stops ? [] : ["E_WORKER"]);
        expect(isTerminated()).toBe(!stops);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("fails what waits, and all that follows, when the worker dies", async () => {
    const { client, fail, posted, isTerminated } = fakeWorker();
    const told: string[] = [];
    client.onLost(({ code }) => told.push(code));
    const waiting = [failureCode(client.open()), failureCode(collect(client.generate(call)))];
    fail("out of memory");
    expect(told).toEqual(["E_WORKER"]);
    expect(await Promise.all(waiting)).toEqual(["E_WORKER", "E_WORKER"]);
    expect((await failure(client.load(load))).message).toContain("out of memory");
    expect(posted).toHaveLength(2);
    expect(isTerminated()).toBe(true);
  });

  it("fails what waits when it is closed", async () => {
    const { client, isTerminated } = fakeWorker();
    const waiting = failureCode(client.open());
    client.dispose();
    expect(await waiting).toBe("E_ABORTED");
    expect(isTerminated()).toBe(true);
  });

  it("fails a call that cannot be sent", async () => {
    const { client } = fakeWorker(() => {
      throw new DOMException("a function cannot be cloned", "DataCloneError");
    });
    await expect(client.load(load)).rejects.toThrow("cannot be cloned");
  });

  it("cancels by the signal, also one that has fired already, and not after the answer", async () => {
    const { client, posted, send } = fakeWorker();
    const abort = new AbortController();
    const loading = failureCode(client.load(load, { signal: abort.signal }));
    abort.abort();
    const late = failureCode(client.load(load, { signal: abort.signal }));
    expect(posted.map(({ type }) => type)).toEqual(["call", "cancel", "call", "cancel"]);
    for (const { id } of posted) send({ type: "error", id, error: { code: "E_ABORTED", message: "", details: {} } });
    expect(await Promise.all([loading, late])).toEqual(["E_ABORTED", "E_ABORTED"]);
    const done = new AbortController();
    const unloading = client.load(load, { signal: done.signal });
    send({ type: "error", id: posted.at(-1)?.id ?? 0, error: { code: "E_HTTP", message: "", details: {} } });
    await failureCode(unloading);
    done.abort();
    expect(posted.filter(({ type }) => type === "cancel")).toHaveLength(2);
  });

  it("tells of a lost device until it is asked not to", () => {
    const { client, send } = fakeWorker();
    const told: string[] = [];
    const stop = client.onLost(({ message }) => told.push(message));
    const message = { type: "device-lost", error: { code: "E_DEVICE_LOST", message: "gone", details: {} } } as const;
    send(message);
    stop();
    send(message);
    expect(told).toEqual(["gone"]);
  });
});
