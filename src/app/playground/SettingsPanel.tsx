import { useId, useState } from "react";
import * as v from "valibot";
import type { Texts } from "../i18n/texts.ts";
import { settingsSchema } from "./settings.ts";
import type { SettingName } from "./settings.ts";
import { usePage } from "../store.ts";
import { useTexts } from "../use-texts.ts";
import { Fold } from "../components/Fold.tsx";

interface Field {
  readonly label: keyof Texts;
  readonly help: keyof Texts;
  readonly step: number;
}

/** In the order in which they are shown. */
const FIELDS: Record<SettingName, Field> = {
  temperature: { label: "settingTemperature", help: "settingTemperatureHelp", step: 0.05 },
  topP: { label: "settingTopP", help: "settingTopPHelp", step: 0.05 },
  maxNewTokens: { label: "settingMaxNewTokens", help: "settingMaxNewTokensHelp", step: 1 },
  thinkMax: { label: "settingThinkMax", help: "settingThinkMaxHelp", step: 1 },
  thinkMin: { label: "settingThinkMin", help: "settingThinkMinHelp", step: 1 },
  n: { label: "settingSamples", help: "settingSamplesHelp", step: 1 },
  seed: { label: "settingSeed", help: "settingSeedHelp", step: 1 },
};

const NO_BREAK = "\u00a0";

/** The settings, folded under a line that says what they are. */
export function SettingsPanel() {
  const { t } = useTexts();
  const { temperature, topP, maxNewTokens, thinkMin, thinkMax, n } = usePage((state) => state.settings);
  const summary = [
    `T ${temperature}`,
    `top-p ${topP}`,
    ...(thinkMin > 0 ? [`${t.thought} ≥ ${thinkMin}`] : []),
    ...(thinkMax > 0 ? [`${t.thought} ≤ ${thinkMax}`] : []),
    `≤ ${maxNewTokens} ${t.tokens}`,
    ...(n > 1 ? [`${t.settingSamples} ${n}`] : []),
  ];
  return (
    <Fold level={2} title={t.settings} summary={summary.map((part) => part.replaceAll(" ", NO_BREAK)).join(" · ")}>
      {names(FIELDS).map((name) => (
        <NumberField key={name} name={name} field={FIELDS[name]} />
      ))}
    </Fold>
  );
}

function names(fields: Record<SettingName, Field>): SettingName[] {
  const isName = (name: string): name is SettingName => name in fields;
  return Object.keys(fields).filter(isName);
}

function NumberField({ name, field }: { readonly name: SettingName; readonly field: Field }) {
  const { t } = useTexts();
  const id = useId();
  const value = usePage((state) => state.settings[name]);
  const setSetting = usePage((state) => state.setSetting);
  // What is being typed need not be a setting yet.
  const [typed, setTyped] = useState<string>();
  const schema = settingsSchema.entries[name];
  const isValid = typed === undefined || v.is(schema, numberOf(typed));
  return (
    <div>
      <div className="flex items-center justify-between gap-2 text-sm">
        <label htmlFor={id}>{t[field.label]}</label>
        <input
          id={id}
          type="number"
          inputMode="decimal"
          className="w-28 rounded-md border border-edge bg-paper px-2 py-1 text-right aria-[invalid=true]:border-failure"
          step={field.step}
          value={typed ?? value}
          aria-describedby={`${id}-help`}
          aria-invalid={!isValid}
          onChange={({ target }) => {
            setTyped(target.value);
            const number = numberOf(target.value);
            if (v.is(schema, number)) setSetting(name, number);
          }}
          onBlur={() => setTyped(undefined)}
        />
      </div>
      <p id={`${id}-help`} className="text-xs text-quiet">
        {t[field.help]}
      </p>
    </div>
  );
}

function numberOf(text: string): number | undefined {
  return text.trim() === "" ? undefined : Number(text);
}
