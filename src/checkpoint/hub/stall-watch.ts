import { isR1Error } from "../../errors.ts";
import type { R1Error } from "../../errors.ts";
import { transferError } from "../http-response.ts";
import { hubError } from "./hub-error.ts";

/** Ends a connection over which nothing has come for a while: neither a browser nor Node would. */
export class StallWatch {
  readonly #url: URL;
  readonly #ms: number;
  readonly #asked: AbortSignal | undefined;
  readonly #abort = new AbortController();
  readonly #follow = (): void => this.#abort.abort();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stalled = false;

  /** @param asked the caller's own signal, which is followed */
  constructor(url: URL, ms: number, asked: AbortSignal | undefined) {
    this.#url = url;
    this.#ms = ms;
    this.#asked = asked;
    asked?.addEventListener("abort", this.#follow);
    this.heard();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Something has come. */
  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#stalled = true;
      this.#abort.abort();
    }, this.#ms);
  }

  /**
   * Waits for what comes over the connection, or for its end: Node 20 forgets the readers of a body that is cut off by a
   * signal once its answer has been collected.
   */
  async until<T>(coming: Promise<T>): Promise<T> {
    const { signal } = this.#abort;
    let stop = (): void => undefined;
    const end = new Promise<never>((_, reject) => {
      stop = () => reject(new DOMException("the connection was ended", "AbortError"));
      signal.addEventListener("abort", stop);
      if (signal.aborted) stop();
    });
    try {
      return await Promise.race([coming, end]);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#asked?.removeEventListener("abort", this.#follow);
  }

  /** What ended the connection, as a typed error; stops the watch. */
  explain(error: unknown): R1Error {
    this.stop();
    if (this.#stalled) return hubError("E_STALLED", this.#url, `nothing came for ${this.#ms / 1000} s`);
    return isR1Error(error) ? error : transferError(this.#url, error, this.#asked);
  }
}
