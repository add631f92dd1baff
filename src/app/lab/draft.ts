import { isR1Error } from "../../errors.ts";
import { parseGrpoConfig } from "../../train/config/grpo-config.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import type { Language } from "../i18n/texts.ts";
import type { DraftConfig } from "./presets.ts";

/** What is wrong with a configuration: the first field, and what it expects. */
export interface DraftIssue {
  readonly field: string;
  /** Where in the field: `lora.r`, `reward_weights.0`. */
  readonly path: string;
  /** "found …; expected …" */
  readonly message: string;
}

export type CheckedDraft = { readonly config: GrpoConfig } | { readonly issue: DraftIssue };

export function checkDraft(draft: DraftConfig): CheckedDraft {
  try {
    return { config: parseGrpoConfig(draft) };
  } catch (error) {
    if (!isR1Error(error)) throw error;
    const field = String(error.details["field"] ?? "");
    const prefix = `${field}: `;
    return {
      // An element of an array is named with its place.
      issue: {
        field: field.split(".")[0] ?? field,
        path: field,
        message: error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message,
      },
    };
  }
}

/** What an input's text means: a number where it is one, else the text, which the configuration will refuse. */
export function numberInput(text: string): number | string {
  return text.trim() === "" || !Number.isFinite(Number(text)) ? text : Number(text);
}

/** Sentences of the configuration's schema, as patterns with their numbers. */
const JAPANESE: readonly (readonly [RegExp, string])[] = [
  [/^a whole number from (\S+) to (\S+)$/, "$1 から $2 までの整数"],
  [/^a number from (\S+), below (\S+)$/, "$1 以上 $2 未満の数"],
  [/^a number from (\S+) to (\S+)$/, "$1 以上 $2 以下の数"],
  [/^a number above (\S+), at most (\S+)$/, "$1 より大きく $2 以下の数"],
  [/^one of (.+)$/, "$1 のいずれか"],
  [/^at least one reward function$/, "1 つ以上の報酬"],
  [/^at least one module$/, "1 つ以上の層"],
  [/^false: the reference of an adapter.*$/, "オフ（LoRA の参照方策は、アダプターなしのモデルです）"],
  [/^f32, or a LoRA adapter.*$/, "f32、または LoRA（丸めた重みは小さな更新を反映できません）"],
  [/^an array of numbers$/, "数値の重み"],
  [/^at most max_completion_length$/, "最大補完長以下"],
  [/^more than max_completion_length.*$/, "最大補完長より大きい値"],
  [/^loss_type grpo$/, "損失の種類が grpo であること"],
  [/^a beta above 0.*$/, "β が 0 より大きいこと"],
];

/** What a field expects, in the reader's language; what there is no translation for stays as it is. */
export function expectationOf({ message }: DraftIssue, language: Language): string {
  const expected = message.slice(message.indexOf("; expected ") + "; expected ".length);
  if (!message.includes("; expected ")) return message;
  if (language === "en") return `Expected ${expected}.`;
  for (const [pattern, sentence] of JAPANESE) {
    if (pattern.test(expected)) return `${expected.replace(pattern, sentence)}を指定してください。`;
  }
  return `指定できる値：${expected}`;
}

/** A rate as people write it: 2e-4. */
export function formatRate(value: unknown): string {
  if (typeof value !== "number") return String(value);
  return value !== 0 && value < 0.001 ? value.toExponential().replace("e-0", "e-") : String(value);
}
