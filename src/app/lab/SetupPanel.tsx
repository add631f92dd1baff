import { useEffect, useId, useMemo } from "react";
import { TASKS } from "../../train/tasks/tasks.ts";
import { Button } from "../components/Button.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { usePage } from "../store.ts";
import { AdapterFields } from "./AdapterFields.tsx";
import { AlgorithmFields } from "./AlgorithmFields.tsx";
import { checkDraft, expectationOf } from "./draft.ts";
import { FIELD_TEXTS } from "./field-texts.ts";
import { INPUT } from "./FieldControl.tsx";
import { FIELDS } from "./fields.ts";
import type { FieldName } from "./fields.ts";
import { useForm } from "./form-store.ts";
import { labTexts, LEVEL_TEXTS } from "./lab-texts.ts";
import { PlanNote } from "./PlanNote.tsx";
import { PRESETS, TASK_NAMES } from "./presets.ts";
import { RewardFields } from "./RewardFields.tsx";
import { isCheckpoint, pickedModels, useStartingModels } from "./starting-models.ts";
import { useLab } from "./use-lab.ts";

/** What a new run is to be: task, model, rewards, algorithm. */
export function SetupPanel({ onStart }: { readonly onStart: () => void }) {
  const { t, language } = usePartTexts(labTexts);
  const heading = useId();
  const config = useForm((state) => state.config);
  const preset = useForm((state) => state.preset);
  const start = useLab((state) => state.start);
  const isBlocked = useLab((state) => state.active !== undefined || state.otherTab || state.storage === "opening");
  const taskName = useTaskNames();
  const checked = useMemo(() => checkDraft(config), [config]);
  const issue = "issue" in checked ? checked.issue : undefined;
  const field = issue && isField(issue.field) ? FIELD_TEXTS[language][issue.field].label : issue?.field;
  return (
    <form
      aria-labelledby={heading}
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (!("config" in checked) || isBlocked) return;
        onStart();
        void start(checked.config, `${PRESETS[preset].title} · ${taskName(checked.config.task ?? "").label}`);
      }}
    >
      <h2 id={heading} className="font-semibold">
        {t.newRun}
      </h2>
      <TaskFields />
      <ModelField />
      <AdapterFields issue={issue} />
      <RewardFields issue={issue} />
      <AlgorithmFields issue={issue} />
      {issue ? (
        <p role="status" className="text-xs text-failure">
          {field}: {expectationOf(issue, language)}
        </p>
      ) : null}
      <PlanNote config={"config" in checked ? checked.config : undefined} />
      <Button type="submit" kind="primary" disabled={isBlocked || issue !== undefined}>
        {t.start}
      </Button>
    </form>
  );
}

function isField(name: string): name is FieldName {
  return name in FIELDS;
}

/** A task's name and what it asks, in the reader's language. */
export function useTaskNames(): (task: string) => { readonly label: string; readonly help: string } {
  const { t } = usePartTexts(labTexts);
  const known = new Map([
    ["countdown", { label: t.taskCountdown, help: t.taskCountdownHelp }],
    ["addition", { label: t.taskAddition, help: t.taskAdditionHelp }],
    ["bilingual", { label: t.taskBilingual, help: t.taskBilingualHelp }],
  ]);
  return (task) => known.get(task) ?? { label: task, help: "" };
}

function TaskFields() {
  const { t, language } = usePartTexts(labTexts);
  const id = useId();
  const task = useForm((state) => String(state.config["task"]));
  const level = useForm((state) => state.config["level"]);
  const chooseTask = useForm((state) => state.chooseTask);
  const set = useForm((state) => state.set);
  const taskName = useTaskNames();
  const levels: Readonly<Record<string, string>> = LEVEL_TEXTS[language];
  const about = TASKS.get(task);
  return (
    <div className="flex flex-col gap-1 text-sm">
      <div className="flex gap-3">
        <label htmlFor={`${id}-task`} className="flex flex-1 flex-col gap-1">
          {t.task}
          <select
            id={`${id}-task`}
            className={INPUT}
            value={task}
            aria-describedby={`${id}-help`}
            onChange={({ target }) => chooseTask(target.value)}
          >
            {TASK_NAMES.map((name) => (
              <option key={name} value={name}>
                {taskName(name).label}
              </option>
            ))}
          </select>
        </label>
        <label htmlFor={`${id}-level`} className="flex flex-1 flex-col gap-1">
          {t.level}
          <select
            id={`${id}-level`}
            className={INPUT}
            value={typeof level === "number" ? level : about?.defaultLevel}
            onChange={({ target }) => set("level", Number(target.value))}
          >
            {about?.levels.map((one, i) => (
              <option key={one.name} value={i}>
                {levels[`${task}/${i}`] ?? one.description}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p id={`${id}-help`} className="text-xs text-quiet">
        {taskName(task).help}
      </p>
    </div>
  );
}

function ModelField() {
  const { t, language } = usePartTexts(labTexts);
  const id = useId();
  const model = useForm((state) => String(state.config["model"]));
  const chooseModel = useForm((state) => state.chooseModel);
  const builtIns = usePage((state) => state.builtIns);
  const runs = useLab((state) => state.runs);
  const { stored, picked, refresh } = useStartingModels();
  useEffect(() => void refresh(), [refresh]);
  const groups = [
    { label: t.builtInModels, models: builtIns.map(({ folder, name }) => ({ value: `models/${folder}`, name })) },
    { label: t.storedModels, models: stored },
    { label: t.pickedModels, models: pickedModels(picked) },
    {
      label: t.ownModels,
      models: runs
        .filter(({ checkpointStep }) => checkpointStep > 0)
        .map(({ id: run, name, checkpointStep }) => ({ value: `runs/${run}`, name: `${name} (${checkpointStep})` })),
    },
  ];
  const note = builtIns.find(({ folder }) => model === `models/${folder}`)?.note[language];
  return (
    <label htmlFor={id} className="flex flex-col gap-1 text-sm">
      {t.model}
      <select
        id={id}
        className={INPUT}
        value={model}
        onChange={({ target }) => chooseModel(target.value, isCheckpoint(target.value))}
      >
        {groups.map(({ label, models }) =>
          models.length === 0 ? null : (
            <optgroup key={label} label={label}>
              {models.map(({ value, name }) => (
                <option key={value} value={value}>
                  {name}
                </option>
              ))}
            </optgroup>
          ),
        )}
      </select>
      {note === undefined ? null : <span className="text-xs text-quiet">{note}</span>}
    </label>
  );
}
