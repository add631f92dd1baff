/** A page draws at most this often; more messages would only keep it from drawing. */
const EVERY_MS = 16;

/** Gathers events and posts them together, at most once per frame, so that fast decoding cannot flood the page. */
export class EventBatches<E> {
  readonly #post: (events: readonly E[]) => void;
  readonly #everyMs: number;
  #events: E[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #postedAt = -Infinity;
  #closed = false;

  constructor(post: (events: readonly E[]) => void, everyMs = EVERY_MS) {
    this.#post = post;
    this.#everyMs = everyMs;
  }

  push(event: E): void {
    if (this.#closed) return;
    this.#events.push(event);
    // Even after a pause the timer lets the other events of the same step in.
    this.#timer ??= setTimeout(() => this.flush(), Math.max(0, this.#postedAt + this.#everyMs - performance.now()));
  }

  /** Posts what waits; whatever is pushed after that is dropped, because the call has been answered. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  /** Posts what waits without waiting for the next frame. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length === 0) return;
    this.#postedAt = performance.now();
    this.#post(this.#events);
    this.#events = [];
  }
}
