import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { Disk } from "./disk.ts";
import { nodeDisk } from "./disk.ts";
import type { Processes } from "./lock.ts";

/** Thrown in the place of a signal that ends the process. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** When a process ends: before (or half-way through) its n-th operation, or the first one of a name. */
export type KillAt = number | string | undefined;

export interface KilledDisk extends Disk {
  /** What was done, in order: "rename checkpoint.new>checkpoint" and the like. */
  readonly done: readonly string[];
}

/** Without waiting for the disk, which no test can tell from waiting. */
const FAST: Disk = {
  ...nodeDisk,
  write: (path, content) => writeFileSync(path, content),
  sync: () => undefined,
};

/** A disk of a process that is killed at an operation. What a dead process still tries fails, reading included. */
export function killedDisk(at: KillAt): KilledDisk {
  const done: string[] = [];
  let isDead = false;
  const alive = (): void => {
    if (isDead) throw new Killed();
  };
  const step = (name: string, half: () => void, whole: () => void): void => {
    alive();
    if (at === done.length || at === name) {
      isDead = true;
      half();
      throw new Killed(name);
    }
    done.push(name);
    whole();
  };
  const nothing = (): void => undefined;
  const reading = <A extends readonly unknown[], R>(read: (...args: A) => R) => {
    return (...args: A): R => {
      alive();
      return read(...args);
    };
  };
  return {
    done,
    exists: reading(FAST.exists),
    list: reading(FAST.list),
    read: reading(FAST.read),
    pieces: reading(FAST.pieces),
    age: reading(FAST.age),
    makeFolder: (path) => step(`mkdir ${basename(path)}`, nothing, () => FAST.makeFolder(path)),
    write: (path, content) => {
      const half = content.slice(0, content.length >> 1);
      step(
        `write ${basename(path)}`,
        () => FAST.write(path, half),
        () => FAST.write(path, content),
      );
    },
    create: (path, content) => {
      let created = false;
      step(`create ${basename(path)}`, nothing, () => void (created = FAST.create(path, content)));
      return created;
    },
    append: (path, text) =>
      step(
        `append ${basename(path)}`,
        () => FAST.append(path, text.slice(0, text.length >> 1)),
        () => FAST.append(path, text),
      ),
    sync: (path) => step(`sync ${basename(path)}`, nothing, () => FAST.sync(path)),
    rename: (from, to) => step(`rename ${basename(from)}>${basename(to)}`, nothing, () => FAST.rename(from, to)),
    remove: (path) =>
      step(
        `rm ${basename(path)}`,
        () => removeHalf(path),
        () => FAST.remove(path),
      ),
    touch: nothing,
  };
}

/** A folder is removed file by file. */
function removeHalf(path: string): void {
  const names = basename(path).startsWith("checkpoint") ? readdirSync(path) : [];
  for (const name of names.slice(0, names.length >> 1)) rmSync(join(path, name));
}

let lastPid = 1_000_000;

/** A new process, by whose account all earlier ones have ended. */
export function nextProcess(): Processes {
  const self = { pid: ++lastPid, host: "test", boot: "boot", space: "space", start: String(lastPid) };
  return { self, lives: () => false, sinceBootMs: () => 1e9 };
}
