import type { BuiltInModel } from "../models.ts";
import { useForm } from "./form-store.ts";
import { BEST_START } from "./presets.ts";

/** Fills the form with what suits a device and the models there are, unless the reader has chosen. */
export function suggestRun(builtIns: readonly BuiltInModel[], isSoftware: boolean): void {
  const { folder } = builtIns.find((model) => model.folder === BEST_START) ?? builtIns[0] ?? {};
  useForm.getState().suggest(isSoftware ? "software" : "gpu", folder === undefined ? undefined : `models/${folder}`);
}
