import { create } from "zustand";
import { draftConfig, lengthFor } from "./presets.ts";
import type { DraftConfig, PresetName, RunSize } from "./presets.ts";

interface FormState {
  readonly preset: PresetName;
  readonly size: RunSize;
  readonly config: DraftConfig;
  /** Set once the reader has chosen something, after which nothing is chosen for them. */
  readonly isTouched: boolean;
  readonly set: (name: string, value: unknown) => void;
  /** A whole form, from a link. */
  readonly take: (preset: PresetName, config: DraftConfig) => void;
  readonly choosePreset: (preset: PresetName) => void;
  /** Its level and length are the task's own. */
  readonly chooseTask: (task: string) => void;
  /** What suits a device and the models there are, unless the reader has chosen. */
  readonly suggest: (size: RunSize, model: string | undefined) => void;
}

const FIRST = { preset: "r1-zero", size: "gpu", task: "countdown" } as const;

/** What the form holds; it stays while the reader is on another page. */
export const useForm = create<FormState>()((set, get) => ({
  preset: FIRST.preset,
  size: FIRST.size,
  config: draftConfig(FIRST.preset, FIRST.size, FIRST.task, "models/nano-cold"),
  isTouched: false,
  set: (name, value) => set({ config: { ...get().config, [name]: value }, isTouched: true }),
  take: (preset, config) => set({ preset, config, isTouched: true }),
  choosePreset: (preset) => {
    const { size, config } = get();
    const { task, level, model, seed } = config;
    set({
      preset,
      config: { ...draftConfig(preset, size, String(task), String(model)), level, seed },
      isTouched: true,
    });
  },
  chooseTask: (task) =>
    set({
      config: { ...get().config, task, level: null, max_completion_length: lengthFor(task, get().size) },
      isTouched: true,
    }),
  suggest: (size, model) => {
    const { isTouched, preset, config } = get();
    if (isTouched) return;
    set({ size, config: draftConfig(preset, size, String(config["task"]), model ?? String(config["model"])) });
  },
}));
