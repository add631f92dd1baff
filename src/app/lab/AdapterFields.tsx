import { useId } from "react";
import type { ReactNode } from "react";
import { Fold } from "../components/Fold.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { adapterOf, FIRST_ADAPTER, FROZEN_FORMATS, LORA_TARGET_MODULES, modulesOf } from "./adapter-draft.ts";
import type { AdapterDraft } from "./adapter-draft.ts";
import { adapterTexts } from "./adapter-texts.ts";
import { expectationOf } from "./draft.ts";
import type { DraftIssue } from "./draft.ts";
import { INPUT, NumberInput } from "./FieldControl.tsx";
import { useForm } from "./form-store.ts";
import { usePlan } from "./plan-store.ts";
import { adapterSummary } from "./run-facts.ts";

/** All weights, or an adapter over frozen ones. */
export function AdapterFields({ issue }: { readonly issue: DraftIssue | undefined }) {
  const { t } = usePartTexts(adapterTexts);
  const config = useForm((state) => state.config);
  const setAdapter = useForm((state) => state.setAdapter);
  const isQuantized = usePlan((state) => state.model === config["model"] && state.plan?.isQuantized === true);
  const id = useId();
  const adapter = adapterOf(config);
  const isWrong = issue?.field === "lora" || issue?.field === "weights";
  const choices = [
    { label: t.full, isChosen: !adapter, choose: () => setAdapter(null), isRefused: isQuantized },
    { label: t.lora, isChosen: adapter !== undefined, choose: () => setAdapter(FIRST_ADAPTER), isRefused: false },
  ];
  return (
    <Fold title={t.heading} summary={adapterSummary(config) ?? t.full} forced={isWrong}>
      <fieldset className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
        <legend className="sr-only">{t.heading}</legend>
        {choices.map(({ label, isChosen, choose, isRefused }) => (
          <label key={label} className="flex items-center gap-1.5">
            <input
              type="radio"
              name={`${id}-trained`}
              className="accent-accent"
              checked={isChosen}
              disabled={isRefused}
              aria-describedby={`${id}-help`}
              onChange={choose}
            />
            {label}
          </label>
        ))}
      </fieldset>
      <p id={`${id}-help`} className="text-xs text-quiet">
        {isQuantized ? `${t.fullRefused} ` : ""}
        {adapter ? (
          <>
            {t.loraHelp} <Formula />
          </>
        ) : (
          t.fullHelp
        )}
      </p>
      {adapter ? <Settings adapter={adapter} issue={issue} /> : null}
    </Fold>
  );
}

/** W + (α/r)·B·A */
function Formula() {
  return <span className="font-serif whitespace-nowrap italic">W + (α/r)·B·A</span>;
}

interface SettingsProps {
  readonly adapter: AdapterDraft;
  readonly issue: DraftIssue | undefined;
}

function Settings({ adapter, issue }: SettingsProps) {
  const { t } = usePartTexts(adapterTexts);
  const { setAdapter } = useForm.getState();
  const weights = useForm((state) => state.config["weights"]);
  const set = useForm((state) => state.set);
  return (
    <>
      <Setting name="r" label={t.rank} symbol="r" help={t.rankHelp} issue={issue}>
        {(about) => <NumberInput {...about} value={adapter.r} onValue={(r) => setAdapter({ ...adapter, r })} />}
      </Setting>
      <Setting name="lora_alpha" label={t.alpha} symbol="α" help={t.alphaHelp} issue={issue}>
        {(about) => (
          <NumberInput
            {...about}
            value={adapter.lora_alpha}
            onValue={(lora_alpha) => setAdapter({ ...adapter, lora_alpha })}
          />
        )}
      </Setting>
      <Modules adapter={adapter} issue={issue} />
      <Setting name="weights" label={t.weights} symbol="W" help={t.weightsHelp} issue={issue}>
        {(about) => (
          <select
            {...about}
            className={INPUT}
            value={typeof weights === "string" ? weights : ""}
            onChange={({ target }) => set("weights", target.value === "" ? null : target.value)}
          >
            <option value="">{t.asStored}</option>
            {FROZEN_FORMATS.map((format) => (
              <option key={format}>{format}</option>
            ))}
          </select>
        )}
      </Setting>
    </>
  );
}

function Modules({ adapter, issue }: SettingsProps) {
  const { t, language } = usePartTexts(adapterTexts);
  const { setAdapter } = useForm.getState();
  const id = useId();
  const chosen = modulesOf(adapter);
  const choose = (target_modules: readonly string[]): void => setAdapter({ ...adapter, target_modules });
  const isWrong = issue?.path.startsWith("lora.target_modules") === true;
  return (
    <fieldset aria-describedby={`${id}-help`} className="flex flex-col gap-1 text-sm">
      <legend>{t.modules}</legend>
      <Check
        label={t.allLinear}
        isChecked={chosen.length === LORA_TARGET_MODULES.length}
        onCheck={(on) => choose(on ? LORA_TARGET_MODULES : [])}
      />
      <div className="grid grid-cols-2 gap-x-4 gap-y-1 sm:grid-cols-3 md:grid-cols-2">
        {LORA_TARGET_MODULES.map((name) => (
          <Check
            key={name}
            label={name}
            isChecked={chosen.includes(name)}
            onCheck={(on) => choose(LORA_TARGET_MODULES.filter((one) => (one === name ? on : chosen.includes(one))))}
          />
        ))}
      </div>
      <p id={`${id}-help`} className="text-xs text-quiet">
        {isWrong && issue ? <span className="block text-failure">{expectationOf(issue, language)}</span> : null}
        {t.modulesHelp}
      </p>
    </fieldset>
  );
}

interface CheckProps {
  readonly label: string;
  readonly isChecked: boolean;
  readonly onCheck: (on: boolean) => void;
}

function Check({ label, isChecked, onCheck }: CheckProps) {
  return (
    <label className="flex items-center gap-1.5">
      <input
        type="checkbox"
        className="size-4 shrink-0 accent-accent"
        checked={isChecked}
        onChange={({ target }) => onCheck(target.checked)}
      />
      {label}
    </label>
  );
}

interface SettingProps {
  /** Of the configuration: a field of `lora`, or of the whole. */
  readonly name: string;
  readonly label: string;
  readonly symbol: string;
  readonly help: string;
  readonly issue: DraftIssue | undefined;
  readonly children: (about: {
    readonly id: string;
    readonly "aria-describedby": string;
    readonly "aria-invalid": boolean;
  }) => ReactNode;
}

function Setting({ name, label, symbol, help, issue, children }: SettingProps) {
  const { language } = usePartTexts(adapterTexts);
  const id = useId();
  const isWrong = issue?.path === `lora.${name}` || issue?.path === name;
  return (
    <div>
      <div className="flex items-center justify-between gap-2 text-sm">
        <label htmlFor={id} className="min-w-0">
          {label} <span className="font-serif text-quiet italic">{symbol}</span>
        </label>
        {children({ id, "aria-describedby": `${id}-help`, "aria-invalid": isWrong })}
      </div>
      <p id={`${id}-help`} className="text-xs text-quiet">
        {isWrong && issue ? <span className="block text-failure">{expectationOf(issue, language)}</span> : null}
        {help} <code className="text-xs whitespace-nowrap">{name}</code>
      </p>
    </div>
  );
}
