import type { HubWeights } from "../../engine/protocol.ts";
import { Choice } from "../components/Choice.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { usePlans } from "./plan-store.ts";
import type { LoadChoice } from "./plan-store.ts";
import { modelsTexts } from "./texts.ts";

const AS_STORED = "as-stored";
const FORMATS = [AS_STORED, "q8", "q4"] as const;
/** Above this, few graphics devices take a model unquantized. */
const LARGE_BYTES = 2e9;

/** What a model is loaded in unless the reader says otherwise: as it is, but large safetensors quantized. */
export function usualFormat({ format, bytes }: HubWeights): LoadChoice["format"] {
  return format === "safetensors" && bytes > LARGE_BYTES ? "q4" : undefined;
}

interface FormatChoiceProps {
  /** Of the form, as in `usePlan`. */
  readonly id: string;
  readonly weights: HubWeights;
  readonly choice: LoadChoice;
}

/** What safetensors become while they are loaded; other files keep what they have. */
export function FormatChoice({ id, weights, choice: { format, contextTokens } }: FormatChoiceProps) {
  const { t } = usePartTexts(modelsTexts);
  const take = usePlans((state) => state.take);
  if (weights.format !== "safetensors") return null;
  return (
    <label className="flex items-center gap-2 text-xs">
      {t.loadAs}
      <Choice
        label={t.loadAs}
        value={FORMATS.find((one) => one === format) ?? AS_STORED}
        options={FORMATS.map((value) => ({ value, text: value === AS_STORED ? t.asStored : value }))}
        onChoose={(chosen) => take(id, { contextTokens, ...(chosen === AS_STORED ? {} : { format: chosen }) })}
      />
    </label>
  );
}
