/** Of the main thread's time at a stretch; the page stays responsive below about 50 ms. */
const SLICE_MS = 12;

const waiting = new Set<() => void>();
let scheduled = false;
let used = 0;
let usedAt = 0;
/** A piece of work is being done, which may ask for its next piece: that one waits for its turn. */
let isWorking = false;

function perform(work: () => void): void {
  isWorking = true;
  try {
    work();
  } finally {
    isWorking = false;
  }
}

/**
 * Does a piece of work now if this moment still has time for it, else as soon as the page has had its turn.
 * @returns withdraws the work
 */
export function inSlices(work: () => void): () => void {
  const now = performance.now();
  // Work of one commit comes in one burst, which shares one slice.
  if (now - usedAt > SLICE_MS) used = 0;
  if (!isWorking && waiting.size === 0 && used < SLICE_MS) {
    perform(work);
    usedAt = performance.now();
    used += usedAt - now;
    return () => undefined;
  }
  waiting.add(work);
  schedule();
  return () => waiting.delete(work);
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setTimeout(() => {
    scheduled = false;
    const end = performance.now() + SLICE_MS;
    for (const work of waiting) {
      waiting.delete(work);
      perform(work);
      if (performance.now() >= end) break;
    }
    if (waiting.size > 0) schedule();
  });
}
