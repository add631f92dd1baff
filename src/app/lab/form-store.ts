import { create } from "zustand";
import { adapterOf, FIRST_ADAPTER, withAdapter } from "./adapter-draft.ts";
import type { AdapterDraft } from "./adapter-draft.ts";
import { CHECKPOINT_SIZES, draftConfig, lengthFor } from "./presets.ts";
import type { DraftConfig, PresetName, RunSize } from "./presets.ts";

interface FormState {
  readonly preset: PresetName;
  readonly size: RunSize;
  readonly config: DraftConfig;
  /** Set once the reader has chosen something, after which nothing is chosen for them. */
  readonly isTouched: boolean;
  readonly set: (name: string, value: unknown) => void;
  /** Several fields at once, as an offer has them. */
  readonly setAll: (values: DraftConfig) => void;
  /** Trains an adapter, or with null all weights. */
  readonly setAdapter: (adapter: AdapterDraft | null) => void;
  /** A whole form, from a link. */
  readonly take: (preset: PresetName, config: DraftConfig) => void;
  readonly choosePreset: (preset: PresetName) => void;
  /**
   * @param isCheckpoint one that somebody else trained: an adapter over it then, and less at a time than a small model
   *   takes
   */
  readonly chooseModel: (model: string, isCheckpoint: boolean) => void;
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
  setAll: (values) => set({ config: { ...get().config, ...values }, isTouched: true }),
  setAdapter: (adapter) => {
    const { preset, size, config } = get();
    const usual = draftConfig(preset, size, String(config["task"]), String(config["model"]));
    set({ config: withAdapter(config, adapter, usual), isTouched: true });
  },
  take: (preset, config) => set({ preset, config, isTouched: true }),
  choosePreset: (preset) => {
    const { size, config } = get();
    const { task, level, model, seed, weights } = config;
    const fresh = { ...draftConfig(preset, size, String(task), String(model)), level, seed };
    const adapter = adapterOf(config);
    // What is trained follows from the model, not from the algorithm.
    set({ preset, config: adapter ? { ...withAdapter(fresh, adapter, fresh), weights } : fresh, isTouched: true });
  },
  chooseModel: (model, isCheckpoint) => {
    const { config, setAdapter } = get();
    set({ config: { ...config, model }, isTouched: true });
    if (!isCheckpoint || adapterOf(config)) return;
    setAdapter(FIRST_ADAPTER);
    set({ config: { ...get().config, ...CHECKPOINT_SIZES } });
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
