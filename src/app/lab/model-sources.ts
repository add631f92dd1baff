import type { CheckpointFiles, ModelSource } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import type { RunHeader } from "../../train/record/run-record.ts";
import { adapterFilesOf, modelFilesOf } from "../runs/checkpoint-files.ts";

/**
 * What a configuration's `model` may say: a model that comes with the page, a run of the reader, a download, or files that
 * were opened in the playground.
 */
const BUILT_IN = /^models\/([\w.-]+)$/;
const OWN_RUN = /^runs\/(.+)$/;
const STORED = /^stored\/(.+)$/;
const PICKED = /^files\/(.+)$/;

interface Places {
  readonly builtInUrl: (folder: string) => string;
  readonly pickedModel: (name: string) => ModelSource | undefined;
}

interface ModelSources {
  /** @throws R1Error E_OPTION, E_FILE_MISSING, E_FILES_GONE */
  readonly sourceOf: (model: string) => Promise<ModelSource>;
  readonly trainedSource: (id: string, name: string) => Promise<ModelSource>;
}

/** Where the models are that a run of the lab can start from. */
export function modelSources(
  places: Places,
  checkpoint: (id: string) => Promise<CheckpointFiles>,
  headerOf: (id: string) => RunHeader | undefined,
): ModelSources {
  const sourceOf = async (model: string): Promise<ModelSource> => {
    const [, folder] = BUILT_IN.exec(model) ?? [];
    if (folder !== undefined) return { kind: "url", baseUrl: places.builtInUrl(folder) };
    const [, stored] = STORED.exec(model) ?? [];
    if (stored !== undefined) return { kind: "stored", id: stored };
    const [, picked] = PICKED.exec(model) ?? [];
    if (picked !== undefined) {
      const source = places.pickedModel(picked);
      if (source) return source;
      throw new R1Error("E_FILES_GONE", `${picked}: its files were opened in an earlier visit`, { model: picked });
    }
    const [, id] = OWN_RUN.exec(model) ?? [];
    if (id === undefined) throw new R1Error("E_OPTION", `model: found ${model}; expected a model of the list`);
    return trainedSource(id, id);
  };
  const trainedSource = async (id: string, name: string): Promise<ModelSource> => {
    const files = await checkpoint(id);
    const header = headerOf(id);
    if (!header?.config.lora) return { kind: "files", files: modelFilesOf(files, name) };
    return { kind: "adapted", name, base: await sourceOf(header.config.model ?? ""), adapter: adapterFilesOf(files) };
  };
  return { sourceOf, trainedSource };
}
