import { R1Error } from "../errors.ts";
import { partialBytes } from "../kernels/attention/attention.ts";
import type { BufferLimits } from "../kernels/weights/matrix.ts";
import { sessionBytes } from "./session-buffers.ts";
import type { KvFormat, SessionSizes } from "./session-buffers.ts";
import type { ModelSpec } from "./spec.ts";

/** What a cache shall be in: `auto` leaves it to {@link kvFormats}. */
export type KvChoice = KvFormat | "auto";

const CHOICES: readonly KvChoice[] = ["auto", "f32", "f16"];

/**
 * A sequence's f32 cache above this is halved by `auto`: reading it takes a good part of a step then. Smaller ones stay exact.
 */
const LARGE_CACHE_BYTES = 256 * 2 ** 20;

/** @throws R1Error E_OPTION */
export function parseKvChoice(text: string): KvChoice {
  const choice = CHOICES.find((one) => one === text);
  if (choice) return choice;
  throw new R1Error("E_OPTION", `kv is ${text}; expected ${CHOICES.join(", ")}`, { option: "kv" });
}

/**
 * The formats that a cache may have, the one to be preferred first.
 * @param contextTokens of one sequence: with others beside it, each says what it would say alone
 */
export function kvFormats(
  { layers, kvHeads, headDim }: ModelSpec,
  contextTokens: number,
  choice: KvChoice,
): readonly [KvFormat, ...KvFormat[]] {
  if (choice !== "auto") return [choice];
  const bytes = layers * contextTokens * 2 * kvHeads * headDim * 4;
  return bytes > LARGE_CACHE_BYTES ? ["f16"] : ["f32", "f16"];
}

/** A buffer that a session needs and a device does not allow. */
export interface BufferShortfall {
  readonly kind: "kv-buffer" | "workspace-buffer";
  readonly bytes: number;
  readonly limit: number;
}

/** The first of a session's buffers that is larger than a device's limits; undefined where all fit. */
export function bufferShortfall(
  spec: ModelSpec,
  sizes: SessionSizes,
  { maxBufferSize, maxStorageBufferBindingSize }: BufferLimits,
): BufferShortfall | undefined {
  const limit = Math.min(maxBufferSize, maxStorageBufferBindingSize);
  const { kv, ...buffers } = sessionBytes(spec, sizes);
  if (kv > limit) return { kind: "kv-buffer", bytes: kv, limit };
  const { outputs } = partialBytes(spec, sizes.maxSequences);
  const bytes = Math.max(outputs, ...Object.values(buffers));
  return bytes > limit ? { kind: "workspace-buffer", bytes, limit } : undefined;
}

/** The format of a session's cache: the preferred one, or the smaller one where only that fits a device's buffers. */
export function chooseKv(
  spec: ModelSpec,
  sizes: Omit<SessionSizes, "kv">,
  choice: KvChoice,
  limits: BufferLimits,
): KvFormat {
  const formats = kvFormats(spec, sizes.contextTokens, choice);
  return formats.find((kv) => !bufferShortfall(spec, { ...sizes, kv }, limits)) ?? formats[0];
}
