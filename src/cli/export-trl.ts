import type { ExportFile } from "../checkpoint/export/file.ts";
import { safetensorsFiles } from "../checkpoint/export/safetensors.ts";
import { openExportModel } from "../model/export-model.ts";
import { loadTextAssets, requireTokenizer } from "../model/text-assets.ts";
import { createNodeTemplateHost } from "../text/node/node-template-host.ts";
import { parseGrpoConfig } from "../train/config/grpo-config.ts";
import { openProblems } from "../train/run/problems.ts";
import { createPromptWriter } from "../train/run/prompts.ts";
import { trlFiles } from "../train/trl/bundle.ts";
import type { Args } from "./args.ts";
import { modelPath } from "./model-path.ts";
import { datasetReader, pathsOf, readConfig } from "./run-config.ts";

const DEFAULT_RUN = { task: "countdown" };

/**
 * A run's folder for TRL, verl and OpenRLHF, with the model in `model/`. The configuration is a GRPO run's `run.json`,
 * whose model gives way to `--model`; without one, the defaults on countdown.
 */
export async function trlExport(args: Args): Promise<readonly ExportFile[]> {
  const path = args.required("model");
  const file = args.text("config");
  const json = file === undefined ? DEFAULT_RUN : readConfig(file);
  const config = parseGrpoConfig(isObject(json) ? { ...json, model: path } : json);
  const { folder, file: weights } = await modelPath(path);
  const model = await openExportModel(folder, weights);
  const files = trlFiles({
    config,
    problems: await openProblems(config, datasetReader(pathsOf(file ?? "."))),
    name: model.name,
    opening: await openingOf(folder),
  });
  return [...files, ...safetensorsFiles(model).map((one) => ({ ...one, path: `model/${one.path}` }))];
}

function isObject(json: unknown): json is Readonly<Record<string, unknown>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

async function openingOf(folder: Parameters<typeof loadTextAssets>[0]): Promise<string | undefined> {
  const assets = await loadTextAssets(folder);
  if (!assets.template) return undefined;
  const host = createNodeTemplateHost();
  try {
    return (await createPromptWriter(assets, requireTokenizer(assets, folder), host)).opening;
  } finally {
    host.dispose();
  }
}
