const NAME = "r1-playground-runs";

/** Sees to it that of several tabs one trains and writes at a time. */
export interface RunLock {
  /** The function that gives it back, at most once; undefined where another tab has it. */
  take(): Promise<(() => void) | undefined>;
  /** Waits until no other tab has it. */
  whenFree(): Promise<void>;
}

/** A lock that does not know who has it: this tab cannot tell its own from another's. */
interface BareLock {
  /** The function that gives it back and resolves when it is free; undefined where somebody has it. */
  take(): Promise<(() => Promise<void>) | undefined>;
  whenFree(): Promise<void>;
}

/**
 * One hold of a lock for all that a tab does at a time. The browser's locks ask only who was first: while the tab takes the
 * lock, has it, or has just given it back, its own next request would be told that it is taken.
 */
export function sharedLock(lock: BareLock): RunLock {
  let users = 0;
  let taken: Promise<(() => Promise<void>) | undefined> | undefined;
  let freed: Promise<void> = Promise.resolve();
  const leave = async (): Promise<void> => {
    users--;
    if (users > 0) return;
    const holding = taken;
    taken = undefined;
    freed = (async () => (await holding)?.())();
    await freed;
  };
  const takeFreed = async (): ReturnType<BareLock["take"]> => {
    await freed;
    return lock.take();
  };
  return {
    take: async () => {
      users++;
      taken ??= takeFreed();
      if (await taken) return () => void leave();
      await leave();
      return undefined;
    },
    whenFree: () => lock.whenFree(),
  };
}

/** By the browser's locks; where they are closed to the page, nothing else that could collide is open to it either. */
export function browserRunLock(): RunLock {
  return sharedLock({
    take: () =>
      new Promise((resolve) => {
        const hold = (): Promise<void> =>
          new Promise((release) =>
            resolve(() => {
              release();
              return asked;
            }),
          );
        const asked: Promise<void> = request({ ifAvailable: true }, (lock) =>
          lock ? hold() : resolve(undefined),
        ).catch(() => resolve(async () => undefined));
      }),
    whenFree: () => request({}, () => undefined).catch(() => undefined),
  });
}

async function request(options: LockOptions, then: (lock: Lock | null) => Promise<void> | void): Promise<void> {
  // Absent where the page is not served safely.
  await navigator.locks.request(NAME, options, async (lock) => then(lock));
}
