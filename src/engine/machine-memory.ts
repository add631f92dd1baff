import { memoryGuess } from "../model/memory-plan.ts";

/** Many browsers tell no more than this, whatever there is above it. */
const MOST_TOLD_GIB = 8;

/**
 * What a model may take of this machine's memory, where a browser says that it has little: above what browsers tell at most,
 * nothing is known, and a graphics card has memory of its own.
 * @param deviceMemoryGiB `navigator.deviceMemory`
 */
export function memoryLimit(deviceMemoryGiB: number | undefined): number | undefined {
  return deviceMemoryGiB === undefined || deviceMemoryGiB >= MOST_TOLD_GIB ? undefined : memoryGuess(deviceMemoryGiB);
}

/** Where a browser tells nothing: phones among them stop pages that take much more. */
const UNTOLD_GIB = 4;

/** What a model can be told to have for sure. @param deviceMemoryGiB as in {@link memoryLimit} */
export function safeMemory(deviceMemoryGiB: number | undefined): number {
  return memoryGuess(deviceMemoryGiB ?? UNTOLD_GIB) ?? 0;
}

/** What the browser tells; undefined where it does not. */
export function toldMemory(navigator: object): number | undefined {
  const told: unknown = "deviceMemory" in navigator ? navigator.deviceMemory : undefined;
  return typeof told === "number" ? told : undefined;
}
