import { readFileSync, readlinkSync } from "node:fs";
import { hostname, uptime } from "node:os";
import { join } from "node:path";
import { R1Error } from "../../errors.ts";
import { parseLock } from "./lock-file.ts";
import type { LockHolder } from "./lock-file.ts";
import type { Disk } from "./disk.ts";

export const LOCK_FILE = "run.lock";

/** A holder that cannot be asked shows that it lives by touching its lock so often; after so long without, it is gone. */
const BEAT_MS = 15_000;
const GONE_MS = 120_000;

/** Which process this is, and how it sees others: a test stands in for both. */
export interface Processes {
  readonly self: LockHolder;
  readonly lives: (holder: LockHolder) => boolean;
  /** How long ago the machine was started. */
  readonly sinceBootMs: () => number;
}

/**
 * One process at a time in a run's folder. The file says which one: its number, and by what a later process with the
 * same number is told from it (when it started; the machine's boot; the container, whose numbers are its own).
 */
export class RunLock {
  readonly #disk: Disk;
  readonly #path: string;
  readonly #directory: string;
  readonly #processes: Processes;
  readonly #content: string;
  #beat: NodeJS.Timeout | undefined;

  constructor(disk: Disk, directory: string, processes: Processes = nodeProcesses()) {
    this.#disk = disk;
    this.#directory = directory;
    this.#path = join(directory, LOCK_FILE);
    this.#processes = processes;
    this.#content = `${JSON.stringify({ ...processes.self, since: new Date().toISOString() })}\n`;
  }

  /**
   * Takes the lock, also from a process that is gone.
   * @returns a sentence about whom it was taken from
   * @throws R1Error E_BUSY naming the process that holds it
   */
  take(): string | undefined {
    let from: string | undefined;
    // Twice: one that stale locks are taken from may be faster than this process.
    for (let tries = 0; tries < 3; tries++) {
      if (this.#disk.create(this.#path, this.#content)) {
        this.#beat = setInterval(() => this.#touch(), BEAT_MS);
        this.#beat.unref();
        return from;
      }
      const found = this.#read();
      if (found === undefined) continue;
      const holder = parseLock(found);
      const held = this.#isHeld(holder);
      if (held !== undefined) throw new R1Error("E_BUSY", held, { file: this.#path, pid: holder?.pid ?? 0 });
      from = `the folder's lock was left by ${holder ? `process ${holder.pid}` : "a process"}, which is gone; it was taken over`;
      this.#removeStale(found);
    }
    throw new R1Error("E_BUSY", `${this.#directory}: other processes are beginning to use it; try again`);
  }

  /** Gives the lock back, where it still is this process's. */
  release(): void {
    if (this.#beat === undefined) return;
    clearInterval(this.#beat);
    this.#beat = undefined;
    try {
      if (this.#read() === this.#content) this.#disk.remove(this.#path);
    } catch (error) {
      // A disk that fails has failed the run already; the next process finds this one gone.
      if (!(error instanceof R1Error)) throw error;
    }
  }

  #touch(): void {
    try {
      this.#disk.touch(this.#path);
    } catch {
      // Removed by hand, or a disk that fails: the run itself will tell.
    }
  }

  #read(path = this.#path): string | undefined {
    try {
      return new TextDecoder().decode(this.#disk.read(path));
    } catch (error) {
      if (error instanceof R1Error && error.code === "E_FILE_MISSING") return undefined;
      throw error;
    }
  }

  /** A sentence about who holds the lock; undefined when nobody does. */
  #isHeld(holder: LockHolder | undefined): string | undefined {
    const { self } = this.#processes;
    const age = this.#disk.age(this.#path) ?? Infinity;
    const remedy = `if it is gone, delete ${this.#path}`;
    // Written in place, on a file system without hard links, it may be empty for a moment.
    if (!holder)
      return age > BEAT_MS ? undefined : `${this.#directory}: another process is beginning to use it; try again`;
    const since = holder.since === undefined ? "" : ` since ${holder.since}`;
    const asks = holder.host === self.host && holder.boot === self.boot && holder.space === self.space;
    if (asks) {
      if (!this.#processes.lives(holder)) return undefined;
      return `${this.#directory}: process ${holder.pid} is using it${since}; wait until it ends, or end it`;
    }
    // Last touched before this machine was started: whatever ran here is gone.
    if (holder.host === self.host && age > this.#processes.sinceBootMs()) return undefined;
    if (age > GONE_MS) return undefined;
    const heard = `last heard from ${Math.max(0, Math.round(age / 1000))} s ago`;
    return `${this.#directory}: process ${holder.pid} on ${holder.host}, another machine or container, is using it (${heard}); wait until it ends, or ${GONE_MS / 1000} s after its last sign; ${remedy}`;
  }

  /** Moved away first: what is removed is then surely what was judged, not a lock that another process took meanwhile. */
  #removeStale(judged: string): void {
    const aside = `${this.#path}.stale.${this.#processes.self.pid}`;
    try {
      this.#disk.rename(this.#path, aside);
    } catch (error) {
      if (this.#read() === undefined) return;
      throw error;
    }
    const moved = this.#read(aside);
    if (moved !== undefined && moved !== judged) this.#disk.create(this.#path, moved);
    this.#disk.remove(aside);
  }
}

function nodeProcesses(): Processes {
  const self = {
    pid: process.pid,
    host: hostname(),
    boot: fileText("/proc/sys/kernel/random/boot_id"),
    space: linkText("/proc/self/ns/pid"),
    start: startOf(process.pid),
  };
  return { self, lives, sinceBootMs: () => uptime() * 1000 };
}

/** True while the process is the one that wrote the lock, and not another one under its number. */
function lives({ pid, start }: LockHolder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: another user's.
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  const { state, start: now } = statOf(pid);
  // Killed, and not yet waited for by its parent, which in a container may never happen.
  if (state === "Z" || state === "X") return false;
  return start === undefined || now === undefined || start === now;
}

function startOf(pid: number): string | undefined {
  return statOf(pid).start;
}

/** State and start (ticks since the boot) of a process, on Linux: fields 3 and 22 of its stat, after a name in brackets. */
function statOf(pid: number): { readonly state?: string; readonly start?: string } {
  const stat = fileText(`/proc/${pid}/stat`);
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, start] = [fields?.[0], fields?.[19]];
  return { ...(state === undefined ? {} : { state }), ...(start === undefined ? {} : { start }) };
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function linkText(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
