import * as v from "valibot";
import type { GenerateOptions } from "../../engine/protocol.ts";

const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const number = (least: number, most: number) => v.pipe(v.number(), v.minValue(least), v.maxValue(most));

const fields = {
  temperature: number(0, 2),
  topP: number(0.05, 1),
  maxNewTokens: whole(1, 32_768),
  thinkMax: whole(0, 32_768),
  thinkMin: whole(0, 32_768),
  n: whole(1, 64),
  seed: whole(0, 0xffff_ffff),
};

/** What the reader can set; names and meaning are the engine's (`GenerateOptions`). */
export const settingsSchema = v.object(fields);
export const partialSettingsSchema = v.partial(settingsSchema);

export type ChatSettings = v.InferOutput<typeof settingsSchema>;
export type SettingName = keyof ChatSettings;

/** DeepSeek's recommendations for R1, and a length that a first try can wait for, where a value is absent or out of range. */
const settledSchema = v.object({
  temperature: v.fallback(fields.temperature, 0.6),
  topP: v.fallback(fields.topP, 0.95),
  maxNewTokens: v.fallback(fields.maxNewTokens, 1024),
  thinkMax: v.fallback(fields.thinkMax, 0),
  thinkMin: v.fallback(fields.thinkMin, 0),
  n: v.fallback(fields.n, 1),
  seed: v.fallback(fields.seed, 0),
});

/** The settings for a model: its own recommendation, except for what the page's list of models says. */
export function settingsFor(
  recommended: Partial<GenerateOptions>,
  listed: v.InferOutput<typeof partialSettingsSchema>,
): ChatSettings {
  return v.parse(settledSchema, { ...recommended, ...listed });
}

export const DEFAULT_SETTINGS: ChatSettings = settingsFor({}, {});
