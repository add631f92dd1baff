import { usePartTexts } from "../i18n/use-part-texts.ts";
import { formatRate } from "./draft.ts";
import type { DraftIssue } from "./draft.ts";
import { FieldControl } from "./FieldControl.tsx";
import { GROUP_TEXTS } from "./field-texts.ts";
import { GROUP_FIELDS, GROUPS } from "./fields.ts";
import type { GroupName } from "./fields.ts";
import { Fold } from "../components/Fold.tsx";
import { useForm } from "./form-store.ts";
import { labTexts } from "./lab-texts.ts";
import { isPreset, PRESET_NAMES, PRESETS } from "./presets.ts";
import type { DraftConfig } from "./presets.ts";

/** The preset, and all that it sets, folded by what it is about. */
export function AlgorithmFields({ issue }: { readonly issue: DraftIssue | undefined }) {
  const { t, language } = usePartTexts(labTexts);
  const preset = useForm((state) => state.preset);
  const config = useForm((state) => state.config);
  const choosePreset = useForm((state) => state.choosePreset);
  const isWrong = (group: GroupName): boolean => GROUP_FIELDS[group].some((name) => name === issue?.field);
  return (
    <Fold
      title={t.algorithm}
      summary={`${PRESETS[preset].title}${isPreset(config, preset) ? "" : ` (${t.changed})`} · ${summaryOf(config)}`}
      forced={GROUPS.some(isWrong)}
    >
      <fieldset className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
        <legend className="sr-only">{t.algorithm}</legend>
        {PRESET_NAMES.map((name) => (
          <label key={name} className="flex items-center gap-1.5">
            <input
              type="radio"
              name="preset"
              className="accent-accent"
              checked={name === preset}
              onChange={() => choosePreset(name)}
            />
            {PRESETS[name].title}
          </label>
        ))}
      </fieldset>
      {GROUPS.map((group) => (
        <Fold
          key={group}
          title={GROUP_TEXTS[language][group]}
          summary={GROUP_SUMMARIES[group](config)}
          forced={isWrong(group)}
        >
          {GROUP_FIELDS[group].map((name) => (
            <FieldControl key={name} name={name} issue={issue} />
          ))}
        </Fold>
      ))}
    </Fold>
  );
}

/** 8 × 12 · lr 2e-4 */
function summaryOf(config: DraftConfig): string {
  const { num_generations, per_step_prompts, learning_rate } = config;
  return `${String(num_generations)} × ${String(per_step_prompts)} · lr ${formatRate(learning_rate)}`;
}

/** What each group comes to, in symbols. */
const GROUP_SUMMARIES: Readonly<Record<GroupName, (config: DraftConfig) => string>> = {
  sampling: ({ num_generations, per_step_prompts, max_completion_length, temperature }) =>
    `G ${String(num_generations)} · B ${String(per_step_prompts)} · ≤ ${String(max_completion_length)} · T ${String(temperature)}`,
  objective: ({ loss_type, scale_rewards, epsilon, epsilon_high }) =>
    `${String(loss_type)} · ${String(scale_rewards)} · ε ${String(epsilon)} / ${String(epsilon_high)}`,
  reference: ({ beta, kl_estimator }) => `β ${String(beta)} · ${String(kl_estimator)}`,
  optimizer: ({ learning_rate, lr_scheduler_type }) => `η ${formatRate(learning_rate)} · ${String(lr_scheduler_type)}`,
  memory: ({ max_tokens_per_pack, max_prompt_length }) =>
    [max_tokens_per_pack, max_prompt_length].map(String).join(" · "),
  schedule: ({ max_steps, eval_every, save_every, seed }) =>
    [max_steps, eval_every, save_every, seed].map(String).join(" · "),
};
