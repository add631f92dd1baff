import * as v from "valibot";
import type { SharePart } from "../share/link.ts";
import type { StateEntries } from "../share/state-query.ts";
import {
  adapterOf,
  FIRST_ADAPTER,
  FROZEN_FORMATS,
  LORA_TARGET_MODULES,
  modulesOf,
  withAdapter,
} from "./adapter-draft.ts";
import { checkDraft } from "./draft.ts";
import { FIELDS } from "./fields.ts";
import type { FieldSpec } from "./fields.ts";
import { useForm } from "./form-store.ts";
import { draftConfig, PRESET_NAMES, TASK_NAMES } from "./presets.ts";
import type { DraftConfig, PresetName } from "./presets.ts";

type Value = number | boolean | string | readonly (number | string)[];

/** The form of a new run in a link: the preset, and the configuration's fields that differ from it, by their names. */
interface LabShare extends Readonly<Record<string, Value>> {
  /** The preset; `preset` names a record in a frame's address. */
  readonly algorithm: PresetName;
}

/** An empty optional field, which a link's keys cannot tell from one that is left out. */
const NONE = "none";
const MOST_REWARDS = 32;

const word = v.pipe(v.string(), v.regex(/^\w{1,64}$/));

function schemaOf(spec: FieldSpec): v.GenericSchema<unknown, Value> {
  switch (spec.kind) {
    case "flag":
      return v.boolean();
    case "choice":
      return v.picklist(spec.options);
    case "number":
      return v.number();
    case "optional":
      return v.union([v.number(), v.literal(NONE)]);
  }
}

const fieldEntries: Readonly<Record<string, v.GenericSchema<unknown, Value>>> = {
  ...Object.fromEntries(Object.entries<FieldSpec>(FIELDS).map(([name, spec]) => [name, schemaOf(spec)])),
  task: v.picklist(TASK_NAMES),
  level: v.number(),
  // A run of the reader is nobody else's.
  model: v.pipe(v.string(), v.regex(/^models\/[\w.-]{1,64}$/)),
  weights: v.picklist(FROZEN_FORMATS),
  reward_funcs: v.pipe(v.array(word), v.maxLength(MOST_REWARDS)),
  reward_weights: v.pipe(v.array(v.number()), v.maxLength(MOST_REWARDS)),
};

/** An adapter, whose rank says that there is one. */
const adapterEntries = {
  lora_r: v.number(),
  lora_alpha: v.number(),
  lora_modules: v.pipe(v.array(v.picklist(LORA_TARGET_MODULES)), v.maxLength(LORA_TARGET_MODULES.length)),
} as const satisfies Readonly<Record<string, v.GenericSchema<unknown, Value>>>;

const entries: StateEntries<LabShare> = {
  ...fieldEntries,
  ...adapterEntries,
  algorithm: v.picklist(PRESET_NAMES),
};

/** The adapter's fields as a link has them; what is usual or refused is left out. */
function adapterRead(config: DraftConfig): Readonly<Record<string, Value>> {
  const adapter = adapterOf(config);
  if (!adapter) return {};
  const modules = modulesOf(adapter);
  const given = { lora_r: adapter.r, lora_alpha: adapter.lora_alpha, lora_modules: modules };
  const isUsual = modules.length === LORA_TARGET_MODULES.length;
  const values = Object.entries(adapterEntries).flatMap(([name, schema]) => {
    if (name === "lora_modules" && isUsual) return [];
    const parsed = v.safeParse(schema, Object.entries(given).find(([key]) => key === name)?.[1]);
    return parsed.success ? [[name, parsed.output] as const] : [];
  });
  return Object.fromEntries(values);
}

/** A preset's draft with the adapter that a link names. */
function withLinkedAdapter(base: DraftConfig, given: Readonly<Record<string, unknown>>): DraftConfig {
  const { lora_r: r, lora_alpha, lora_modules } = given;
  if (r === undefined) return base;
  const alpha = lora_alpha ?? FIRST_ADAPTER.lora_alpha;
  const target_modules = lora_modules ?? FIRST_ADAPTER.target_modules;
  return withAdapter(base, { ...FIRST_ADAPTER, r, lora_alpha: alpha, target_modules }, base);
}

function presetDraft(preset: PresetName, { task, model }: DraftConfig): DraftConfig {
  return draftConfig(preset, useForm.getState().size, String(task), String(model));
}

export const labShare: SharePart<LabShare> = {
  entries,

  read() {
    const { preset, config } = useForm.getState();
    const fresh = presetDraft(preset, config);
    const adapter = adapterOf(config);
    const usual = adapter ? withAdapter(fresh, adapter, fresh) : fresh;
    const changed = Object.keys(fieldEntries).filter(
      (name) => name === "task" || JSON.stringify(config[name]) !== JSON.stringify(usual[name]),
    );
    // What the schema refuses here, a link would not bring either: a model of the reader's own.
    const values = changed.flatMap((name) => {
      const parsed = v.safeParse(entries[name] ?? v.never(), config[name] ?? NONE);
      return parsed.success ? [[name, parsed.output] as const] : [];
    });
    return { algorithm: preset, ...Object.fromEntries(values), ...adapterRead(config) };
  },

  write({ algorithm, ...given }) {
    const { preset: present, config } = useForm.getState();
    const preset = algorithm ?? present;
    const base = presetDraft(preset, { task: given["task"] ?? config["task"], model: config["model"] });
    const fields = Object.entries(given).filter(([name]) => name in fieldEntries);
    const wrong: string[] = [];
    let draft: DraftConfig = {
      ...withLinkedAdapter(base, given),
      ...Object.fromEntries(fields.map(([name, value]) => [name, value === NONE ? null : value])),
    };
    // Each field that the configuration refuses goes back to what the preset has.
    for (let checked = checkDraft(draft); "issue" in checked; checked = checkDraft(draft)) {
      const { field } = checked.issue;
      if (!(field in base) || JSON.stringify(draft[field]) === JSON.stringify(base[field])) {
        useForm.getState().take(preset, base);
        return [...fields.map(([name]) => name), ...("lora_r" in given ? ["lora_r"] : [])];
      }
      draft = { ...draft, [field]: base[field] };
      wrong.push(field);
    }
    useForm.getState().take(preset, draft);
    return wrong;
  },
};
