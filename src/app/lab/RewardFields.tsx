import { useId } from "react";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { expectationOf } from "./draft.ts";
import type { DraftIssue } from "./draft.ts";
import { NumberInput } from "./FieldControl.tsx";
import { REWARD_TEXTS } from "./field-texts.ts";
import { REWARD_NAMES } from "./fields.ts";
import { Fold } from "../components/Fold.tsx";
import { useForm } from "./form-store.ts";
import { labTexts } from "./lab-texts.ts";
import type { DraftConfig } from "./presets.ts";

/** The rewards of a completion, and how much each counts. */
export function RewardFields({ issue }: { readonly issue: DraftIssue | undefined }) {
  const { t, language } = usePartTexts(labTexts);
  const config = useForm((state) => state.config);
  const set = useForm((state) => state.set);
  const id = useId();
  const chosen = weightsOf(config);
  const texts = REWARD_TEXTS[language];
  const isWrong = issue?.field === "reward_funcs" || issue?.field === "reward_weights";
  const write = (weights: ReadonlyMap<string, unknown>): void => {
    set("reward_funcs", [...weights.keys()]);
    set("reward_weights", [...weights.values()]);
  };
  const labelOf = (name: string): string =>
    REWARD_NAMES.flatMap((one) => (one === name ? [texts[one].label] : [])).join("");
  return (
    <Fold
      title={t.rewards}
      summary={Array.from(chosen, ([name, weight]) => `${labelOf(name)} ${String(weight)}`).join(" · ")}
      forced={isWrong}
    >
      {isWrong ? <p className="text-xs text-failure">{expectationOf(issue, language)}</p> : null}
      {REWARD_NAMES.map((name) => (
        <div key={name}>
          <div className="flex min-h-8 items-center justify-between gap-2 text-sm">
            <label className="flex items-center gap-2">
              <input
                type="checkbox"
                className="size-4 shrink-0 accent-accent"
                checked={chosen.has(name)}
                aria-describedby={`${id}-${name}`}
                onChange={({ target }) => {
                  const others = [...chosen].filter(([other]) => other !== name);
                  write(new Map(target.checked ? [...others, [name, 1]] : others));
                }}
              />
              {texts[name].label}
            </label>
            {chosen.has(name) ? (
              <NumberInput
                id={`${id}-${name}-weight`}
                aria-label={`${t.weight}: ${texts[name].label}`}
                aria-invalid={isWrong && typeof chosen.get(name) !== "number"}
                value={chosen.get(name)}
                onValue={(value) => write(new Map([...chosen, [name, value]]))}
              />
            ) : null}
          </div>
          <p id={`${id}-${name}`} className="text-xs text-quiet">
            {texts[name].help} <code className="opacity-80">{name}</code>
          </p>
        </div>
      ))}
    </Fold>
  );
}

/** Weights by reward; a weight need not be a number yet. */
function weightsOf({ reward_funcs: names, reward_weights: weights }: DraftConfig): ReadonlyMap<string, unknown> {
  if (!Array.isArray(names) || !Array.isArray(weights)) return new Map();
  const values: readonly unknown[] = weights;
  return new Map(names.map((name, i) => [String(name), values[i]]));
}
