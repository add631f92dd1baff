import { useId, useState } from "react";
import { expectationOf, formatRate, numberInput } from "./draft.ts";
import type { DraftIssue } from "./draft.ts";
import { FIELD_TEXTS } from "./field-texts.ts";
import { FIELDS } from "./fields.ts";
import type { FieldName, FieldSpec } from "./fields.ts";
import { useForm } from "./form-store.ts";
import { useTexts } from "../use-texts.ts";

export const INPUT =
  "rounded-md border border-edge bg-paper px-2 py-1 text-sm aria-[invalid=true]:border-2 aria-[invalid=true]:border-failure";

interface FieldControlProps {
  readonly name: FieldName;
  readonly issue: DraftIssue | undefined;
}

/** One setting: its name and symbol, its value, what it does, and what it expects where that is not what it has. */
export function FieldControl({ name, issue }: FieldControlProps) {
  const { language } = useTexts();
  const id = useId();
  const spec: FieldSpec = FIELDS[name];
  const { label, help } = FIELD_TEXTS[language][name];
  const isWrong = issue?.field === name;
  return (
    <div>
      <div className="flex items-center justify-between gap-2 text-sm">
        <label htmlFor={id} className="min-w-0">
          {label} {spec.symbol === undefined ? null : <Symbol text={spec.symbol} />}
        </label>
        <Input id={id} name={name} spec={spec} isWrong={isWrong} />
      </div>
      <p id={`${id}-help`} className="text-xs text-quiet">
        {isWrong ? <span className="block text-failure">{expectationOf(issue, language)}</span> : null}
        {help} <code className="text-xs whitespace-nowrap opacity-80">{name}</code>
      </p>
    </div>
  );
}

/** ε_high with its index below the line. */
function Symbol({ text }: { readonly text: string }) {
  const [base, index] = text.split("_");
  return (
    <span className="font-serif text-quiet italic">
      {base}
      {index === undefined ? null : <sub>{index}</sub>}
    </span>
  );
}

interface InputProps {
  readonly id: string;
  readonly name: FieldName;
  readonly spec: FieldSpec;
  readonly isWrong: boolean;
}

function Input({ id, name, spec, isWrong }: InputProps) {
  const value = useForm((state) => state.config[name]);
  const set = useForm((state) => state.set);
  const about = { id, "aria-describedby": `${id}-help`, "aria-invalid": isWrong };
  switch (spec.kind) {
    case "flag":
      return (
        <input
          {...about}
          type="checkbox"
          className="size-4 shrink-0 accent-accent"
          checked={value === true}
          onChange={({ target }) => set(name, target.checked || (spec.off === null ? null : false))}
        />
      );
    case "choice":
      return (
        <select {...about} className={INPUT} value={String(value)} onChange={({ target }) => set(name, target.value)}>
          {spec.options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      );
    case "number":
    case "optional":
      return (
        <NumberInput
          {...about}
          value={value}
          onValue={(next) => set(name, spec.kind === "optional" && next === "" ? null : next)}
        />
      );
  }
}

interface NumberInputProps {
  readonly id: string;
  readonly value: unknown;
  readonly onValue: (value: number | string) => void;
  readonly "aria-describedby"?: string;
  readonly "aria-invalid"?: boolean;
  readonly "aria-label"?: string;
}

/** A number as people write it, 2e-4 included. What is no number is passed on as it is, to be complained about. */
export function NumberInput({ value, onValue, ...about }: NumberInputProps) {
  // What is being typed keeps its form: "0.10" is not yet done.
  const [typed, setTyped] = useState<string>();
  return (
    <input
      {...about}
      type="text"
      inputMode="decimal"
      autoComplete="off"
      className={`${INPUT} w-24 shrink-0 text-right`}
      value={typed ?? (value === null ? "" : formatRate(value))}
      onChange={({ target }) => {
        setTyped(target.value);
        onValue(numberInput(target.value));
      }}
      onBlur={() => setTyped(undefined)}
    />
  );
}
