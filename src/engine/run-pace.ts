import type { Pace } from "./protocol.ts";

/** Holds a run between two steps, or lets it go on. */
export class RunPace {
  readonly #signal: AbortSignal;
  /** Steps that may be taken. */
  #steps = Infinity;
  #ended = false;
  #wake = (): void => undefined;

  /** @param signal stops the run: it is held no longer, so that it can end */
  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake());
  }

  set(pace: Pace): void {
    if (pace === "run") this.#steps = Infinity;
    else if (pace === "pause") this.#steps = 0;
    else this.#steps = this.#steps === Infinity ? 1 : this.#steps + 1;
    this.#wake();
  }

  /** A step has been taken; also one that began before the pause. */
  stepped(): void {
    this.#steps = Math.max(0, this.#steps - 1);
  }

  /** Waits until the run may go on; false when it is over for those who wait for it. */
  async turn(): Promise<boolean> {
    while (this.#steps === 0 && !this.#signal.aborted && !this.#ended) {
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return !this.#ended;
  }

  /** The run's call has been answered. */
  end(): void {
    this.#ended = true;
    this.#wake();
  }
}
