import type { FrozenFormat } from "../../train/config/shared.ts";
import { download } from "../download.ts";
import { sharedEngine } from "../engine.ts";
import { hrefOf } from "../router.ts";
import { adapterFilesOf, modelFilesOf, tarOf } from "../runs/checkpoint-files.ts";
import type { ListedRun } from "../runs/run-archive.ts";
import { usePage } from "../store.ts";
import { useLab } from "./use-lab.ts";

type TrainedRun = Pick<ListedRun, "id" | "name" | "header">;

/** A file name of a run's name. */
function fileNameOf(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "model";
}

/** What the frozen weights under a run's adapter are held as: with others it would not be the model that was trained. */
export function frozenFormat({ config }: TrainedRun["header"]): { readonly format?: FrozenFormat } {
  return config.lora && config.weights ? { format: config.weights } : {};
}

async function orFail(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    useLab.getState().fail(error);
  }
}

/** Gives the trained model, or the adapter in PEFT's layout, to the reader as one archive. */
export function downloadTrained({ id, name, header }: TrainedRun): Promise<void> {
  return orFail(async () => {
    const folder = fileNameOf(name);
    const files = await useLab.getState().checkpoint(id);
    const kept = header.config.lora ? adapterFilesOf(files) : files;
    download(tarOf(modelFilesOf(kept, folder), new Date()), `${folder}.tar`);
  });
}

/** Gives the base with the adapter added in to the reader as one archive. */
export function downloadMerged({ id, name }: TrainedRun): Promise<void> {
  return orFail(async () => {
    const folder = fileNameOf(name);
    const files = await sharedEngine().mergeAdapter(await useLab.getState().trainedSource(id, folder));
    download(tarOf(modelFilesOf(files, folder), new Date()), `${folder}-merged.tar`);
  });
}

/** Opens the trained model in the playground: of an adapter, its base with the adapter beside it. */
export function openInPlayground({ id, name, header }: TrainedRun): Promise<void> {
  return orFail(async () => {
    const source = await useLab.getState().trainedSource(id, fileNameOf(name));
    location.hash = hrefOf("playground");
    await usePage.getState().load({ source, builtIn: undefined, ...frozenFormat(header) });
  });
}
