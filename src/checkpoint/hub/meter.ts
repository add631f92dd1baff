/** How far a download is. */
export interface DownloadProgress {
  /** `checking` reads again what an earlier visit has left. */
  readonly stage: "checking" | "downloading";
  /** The file that is on its way. */
  readonly file: string;
  readonly receivedBytes: number;
  readonly totalBytes: number;
  /** Over the last seconds. */
  readonly bytesPerSecond: number;
  /** Undefined until the speed is known. */
  readonly secondsLeft: number | undefined;
}

/** The speed is that of so long. */
const WINDOW_MS = 5000;
/** Progress is told at most so often. */
const EVERY_MS = 100;

interface Sample {
  readonly ms: number;
  readonly bytes: number;
}

/** Counts bytes, and tells how fast they come. */
export class Meter {
  readonly #total: number;
  readonly #report: (progress: DownloadProgress) => void;
  readonly #now: () => number;
  /** Bytes of files that are whole. */
  #finished = 0;
  /** Of the one on its way. */
  #there = 0;
  /** Bytes that came over the network. */
  #network = 0;
  #samples: Sample[] = [];
  #toldMs = -Infinity;
  #stage: DownloadProgress["stage"] = "downloading";
  #file = "";

  constructor(
    total: number,
    report: (progress: DownloadProgress) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#total = total;
    this.#report = report;
    this.#now = now;
  }

  /**
   * Tells at once what is going on.
   * @param there bytes of the file that are there already
   */
  begin(stage: DownloadProgress["stage"], file: string, there: number): void {
    this.#stage = stage;
    this.#file = file;
    this.#there = there;
    this.#tell();
  }

  received(bytes: number): void {
    this.#there += bytes;
    this.#network += bytes;
    if (this.#now() - this.#toldMs >= EVERY_MS) this.#tell();
  }

  /** A file is whole. */
  finish(bytes: number): void {
    this.#finished += bytes;
    this.#there = 0;
    this.#tell();
  }

  #tell(): void {
    const ms = this.#now();
    this.#toldMs = ms;
    this.#samples = [...this.#samples.filter((sample) => ms - sample.ms <= WINDOW_MS), { ms, bytes: this.#network }];
    const [first] = this.#samples;
    const done = this.#finished + this.#there;
    const seconds = first ? (ms - first.ms) / 1000 : 0;
    const bytesPerSecond = first && seconds > 0 ? (this.#network - first.bytes) / seconds : 0;
    this.#report({
      stage: this.#stage,
      file: this.#file,
      receivedBytes: done,
      totalBytes: this.#total,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? (this.#total - done) / bytesPerSecond : undefined,
    });
  }
}
