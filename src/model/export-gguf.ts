import { ggufFiles } from "../checkpoint/export/gguf/export.ts";
import type { WrittenDtype } from "../checkpoint/export/gguf/quantize.ts";
import type { ExportFile } from "../checkpoint/export/file.ts";
import type { ExportModel } from "../checkpoint/export/model.ts";
import { parseJson } from "../checkpoint/json.ts";
import { loadText } from "../text/load-text.ts";

/**
 * A model as one GGUF file, with its tokenizer, template and advised sampling.
 * @throws R1Error E_TOKENIZER for a tokenizer that GGUF has no name for, and what `loadText` throws
 */
export async function exportGguf(model: ExportModel, dtype: WrittenDtype): Promise<ExportFile[]> {
  const json = (file: string): unknown => {
    const text = model.texts.get(file);
    return text === undefined ? undefined : parseJson(text, file);
  };
  const { tokenizer, template, eosIds, sampling } = await loadText(
    async (file) => (file === "config.json" ? model.config : json(file)),
    async (file) => model.texts.get(file),
  );
  const settings = Object.fromEntries(Object.entries(json("tokenizer_config.json") ?? {}));
  const flag = (name: string): boolean | undefined => {
    const value: unknown = settings[name];
    return typeof value === "boolean" ? value : undefined;
  };
  const pad: unknown = settings["pad_token"];
  const text = {
    tokenizerJson: json("tokenizer.json"),
    template: template?.source,
    bosId: tokenizer?.bosId,
    eosIds,
    padId: typeof pad === "string" ? tokenizer?.idOf(pad) : undefined,
    addBos: flag("add_bos_token"),
    addEos: flag("add_eos_token"),
  };
  return ggufFiles(model, { dtype, text, sampling });
}
