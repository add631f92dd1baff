import type { CDPSession, Page } from "@playwright/test";

interface HeapUsage {
  readonly usedSize: number;
  /** Array buffers. */
  readonly backingStorageSize?: number;
}

const EVERY_MS = 500;

/** Watches the memory of a page and its workers: JavaScript heap and array buffers, garbage included. */
export class HeapWatch {
  readonly #session: CDPSession;
  readonly #workers = new Set<string>();
  readonly #waiting = new Map<string, (usage: HeapUsage) => void>();
  #next = 1;
  #peak = 0;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  /** @param page before it starts its workers */
  static async start(page: Page): Promise<HeapWatch> {
    const session = await page.context().newCDPSession(page);
    const watch = new HeapWatch(session);
    session.on("Target.attachedToTarget", ({ sessionId }) => watch.#workers.add(sessionId));
    session.on("Target.detachedFromTarget", ({ sessionId }) => watch.#workers.delete(sessionId));
    session.on("Target.receivedMessageFromTarget", ({ sessionId, message }) => {
      const { id, result } = JSON.parse(message) as { readonly id?: number; readonly result?: HeapUsage };
      if (result) watch.#waiting.get(`${sessionId} ${id}`)?.(result);
    });
    await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    watch.#running = watch.#run();
    return watch;
  }

  /** The most bytes at any time, so far. */
  get peakBytes(): number {
    return this.#peak;
  }

  /** Workers that are watched. */
  get workers(): number {
    return this.#workers.size;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const usages = await Promise.all([
        this.#session.send("Runtime.getHeapUsage") as Promise<HeapUsage>,
        ...[...this.#workers].map((worker) => this.#ask(worker)),
      ]);
      const bytes = usages.reduce(
        (sum, { usedSize, backingStorageSize = 0 }) => sum + usedSize + backingStorageSize,
        0,
      );
      this.#peak = Math.max(this.#peak, bytes);
      await new Promise<void>((resolve) => void setTimeout(resolve, EVERY_MS));
    }
  }

  async #ask(sessionId: string): Promise<HeapUsage> {
    const id = this.#next++;
    const key = `${sessionId} ${id}`;
    const answered = new Promise<HeapUsage>((resolve) => this.#waiting.set(key, resolve));
    const message = JSON.stringify({ id, method: "Runtime.getHeapUsage" });
    await this.#session.send("Target.sendMessageToTarget", { sessionId, message });
    const usage = await answered;
    this.#waiting.delete(key);
    return usage;
  }
}
