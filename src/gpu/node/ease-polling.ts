/**
 * Dawn's Node binding polls the device in a loop of immediates for as long as anything is awaited, which takes a whole
 * core from a software renderer that has two. While a wait is long, this lets the loop sleep between polls.
 */

/** Waits shorter than this are polled as before: a decode step of a small model takes no longer. */
const PATIENCE_MS = 2;
const NAP_MS = 0.5;

const cell = new Int32Array(new SharedArrayBuffer(4));
let waiting = 0;
let napping = false;

/** Naps between polls until nothing is waited for. */
function nap(begun: number): void {
  if (waiting === 0) {
    napping = false;
    return;
  }
  if (performance.now() - begun > PATIENCE_MS) Atomics.wait(cell, 0, 0, NAP_MS);
  setImmediate(nap, begun);
}

function track(promise: Promise<unknown>): void {
  waiting++;
  void promise.catch(() => undefined).finally(() => waiting--);
  if (napping) return;
  napping = true;
  setImmediate(nap, performance.now());
}

/** Has the promises of a method counted as waited for. */
function ease(prototype: object, method: string): void {
  const descriptor = Object.getOwnPropertyDescriptor(prototype, method);
  const original: unknown = descriptor?.value;
  if (typeof original !== "function") return;
  Object.defineProperty(prototype, method, {
    ...descriptor,
    value(this: unknown, ...args: unknown[]): unknown {
      const promise: unknown = Reflect.apply(original, this, args);
      if (promise instanceof Promise) track(promise);
      return promise;
    },
  });
}

let eased = false;

/** Makes waiting for a queue or a mapped buffer cheap, for all devices of this process. */
export function easePolling(): void {
  if (eased) return;
  eased = true;
  ease(GPUBuffer.prototype, "mapAsync");
  ease(GPUQueue.prototype, "onSubmittedWorkDone");
}
