import { download } from "../download.ts";
import { hrefOf } from "../router.ts";
import { modelFilesOf, tarOf } from "../runs/checkpoint-files.ts";
import { usePage } from "../store.ts";
import { useLab } from "./use-lab.ts";

/** A file name of a run's name. */
function fileNameOf(name: string): string {
  return name.replaceAll(/[^\w.-]+/g, "-").replaceAll(/^-+|-+$/g, "") || "model";
}

/** Gives the trained model to the reader as one archive. */
export async function downloadModel(id: string, name: string): Promise<void> {
  try {
    const folder = fileNameOf(name);
    download(tarOf(modelFilesOf(await useLab.getState().checkpoint(id), folder), new Date()), `${folder}.tar`);
  } catch (error) {
    useLab.getState().fail(error);
  }
}

/** Opens the trained model in the playground. */
export async function openInPlayground(id: string, name: string): Promise<void> {
  try {
    const files = modelFilesOf(await useLab.getState().checkpoint(id), fileNameOf(name));
    location.hash = hrefOf("playground");
    await usePage.getState().loadFiles(Promise.resolve(files));
  } catch (error) {
    useLab.getState().fail(error);
  }
}
