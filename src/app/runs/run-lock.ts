const NAME = "r1-playground-runs";

/** Sees to it that of several tabs one trains and writes at a time. */
export interface RunLock {
  /** The function that gives it back; undefined where another tab has it. */
  take(): Promise<(() => void) | undefined>;
  /** Waits until no other tab has it. */
  whenFree(): Promise<void>;
}

/** By the browser's locks; where they are closed to the page, nothing else that could collide is open to it either. */
export function browserRunLock(): RunLock {
  return {
    take: () =>
      new Promise((resolve) => {
        const hold = (): Promise<void> => new Promise((release) => resolve(release));
        request({ ifAvailable: true }, (lock) => (lock ? hold() : resolve(undefined))).catch(() =>
          resolve(() => undefined),
        );
      }),
    whenFree: () => request({}, () => undefined).catch(() => undefined),
  };
}

async function request(options: LockOptions, then: (lock: Lock | null) => Promise<void> | void): Promise<void> {
  // Absent where the page is not served safely.
  await navigator.locks.request(NAME, options, async (lock) => then(lock));
}
