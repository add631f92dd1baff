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

/** Counts a promise of the device's as something that is waited for. */
function track<T>(promise: Promise<T>): Promise<T> {
  waiting++;
  const done = (): void => {
    waiting--;
  };
  promise.then(done, done);
  if (!napping) {
    napping = true;
    const begun = performance.now();
    const nap = (): void => {
      if (waiting === 0) {
        napping = false;
        return;
      }
      if (performance.now() - begun > PATIENCE_MS) Atomics.wait(cell, 0, 0, NAP_MS);
      setImmediate(nap);
    };
    setImmediate(nap);
  }
  return promise;
}

let eased = false;

/** Makes waiting for a queue or a mapped buffer cheap, for all devices of this process. */
export function easePolling(): void {
  if (eased) return;
  eased = true;
  const { mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.mapAsync = function ease(this: GPUBuffer, ...args) {
    return track(mapAsync.apply(this, args));
  };
  const { onSubmittedWorkDone } = GPUQueue.prototype;
  GPUQueue.prototype.onSubmittedWorkDone = function ease(this: GPUQueue) {
    return track(onSubmittedWorkDone.apply(this));
  };
}
