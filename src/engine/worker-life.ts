/**
 * How the page learns that a worker has ended without an error: the browser took it for its memory, or it closed itself.
 * The worker holds a lock of the browser for as long as it lives, which is free the moment it is gone, whatever the worker
 * was doing; the page waits in line for it. No timer decides, so that a worker that computes for minutes is never given up.
 */

/** What the worker says of itself before all else. */
export interface LifeMessage {
  readonly type: "life";
  /** Undefined where the browser gives no locks: then the worker answers what it is asked. */
  readonly lock: string | undefined;
}

interface Ping {
  readonly type: "ping";
}

/** Without locks: how often the page asks, and after how long a silence of the worker it gives up. */
const PING_MS = 10_000;
/** A runtime on the processor may compute for minutes without a break. */
export const MAX_SILENCE_MS = 600_000;

/** The parts of `navigator.locks` that are needed; tests put their own in their place. */
export interface Locks {
  request(name: string, options: LockOptions, then: () => Promise<void>): Promise<void>;
}

export function browserLocks(): Locks | undefined {
  // Absent where the page is not served safely, whatever the types say.
  const locks: LockManager | undefined = navigator.locks;
  if (!locks) return undefined;
  return {
    request: async (name, options, then) => {
      await locks.request(name, options, then);
    },
  };
}

/** In the worker: holds a lock for life, and says so once it is held. */
export async function holdLife(post: (message: LifeMessage) => void, locks: Locks | undefined): Promise<void> {
  const lock = `r1-worker-${crypto.randomUUID()}`;
  try {
    if (!locks) throw new Error("no locks");
    await locks.request(lock, {}, () => {
      post({ type: "life", lock });
      return new Promise<void>(() => undefined);
    });
  } catch {
    // A browser may have locks and refuse them: in a frame without an origin, or with storage turned off.
    post({ type: "life", lock: undefined });
  }
}

export function isPing(data: unknown): data is Ping {
  return typeof data === "object" && data !== null && "type" in data && data.type === "ping";
}

export function isLifeMessage(data: unknown): data is LifeMessage {
  return typeof data === "object" && data !== null && "type" in data && data.type === "life";
}

export interface WatchedWorker {
  readonly ping: () => void;
  /** Called once, when the worker is gone. */
  readonly onEnd: () => void;
  readonly locks: Locks | undefined;
  readonly now?: () => number;
}

/** The page's side. */
export class LifeWatch {
  readonly #worker: WatchedWorker;
  readonly #abort = new AbortController();
  readonly #now: () => number;
  #heardAt = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(worker: WatchedWorker) {
    this.#worker = worker;
    this.#now = worker.now ?? (() => performance.now());
  }

  /** What the worker has said of its life; again each time it answers. */
  hear({ lock }: LifeMessage): void {
    this.#heardAt = this.#now();
    const { locks } = this.#worker;
    if (lock !== undefined && locks) void this.#waitFor(lock, locks);
    else this.#timer ??= setInterval(() => this.#ask(), PING_MS);
  }

  /** The worker is ended by the page itself. */
  stop(): void {
    this.#abort.abort();
    clearInterval(this.#timer);
  }

  async #waitFor(lock: string, locks: Locks): Promise<void> {
    try {
      await locks.request(lock, { signal: this.#abort.signal }, async () => this.#end());
    } catch {
      // Stopped, or refused: an error of the worker's is then all that is heard.
    }
  }

  #ask(): void {
    if (this.#now() - this.#heardAt > MAX_SILENCE_MS) this.#end();
    else this.#worker.ping();
  }

  #end(): void {
    if (this.#abort.signal.aborted) return;
    this.stop();
    this.#worker.onEnd();
  }
}
