import * as v from "valibot";

const text = v.pipe(v.string(), v.maxLength(256));

const lockSchema = v.object({
  pid: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  host: text,
  /** The machine's boot, where the system has an id for it. */
  boot: v.optional(text),
  /** The space of process numbers: a container has its own. */
  space: v.optional(text),
  /** When the process started, in the system's own count. */
  start: v.optional(text),
  /** When the lock was taken, ISO 8601. */
  since: v.optional(text),
});

/** The process that holds a folder. */
export type LockHolder = v.InferOutput<typeof lockSchema>;

/** @returns undefined for what is no lock: one that was cut off, or something else under its name */
export function parseLock(content: string): LockHolder | undefined {
  try {
    const parsed = v.safeParse(lockSchema, JSON.parse(content));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
