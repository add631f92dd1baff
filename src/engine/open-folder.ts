import { blobFolder } from "../checkpoint/blob.ts";
import { isGgufName, modelFolder } from "../checkpoint/gguf/folder.ts";
import { checkCatalogueConfig } from "../checkpoint/hub/catalogue.ts";
import { readManifest } from "../checkpoint/hub/manifest.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import { httpFolder } from "../checkpoint/http.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import { adaptedFolder, replacedFolder } from "../model/adapted-folder.ts";
import { readAdapter } from "../model/adapter.ts";
import type { AdapterTensors } from "../model/adapter.ts";
import { readModelSpec } from "../model/load.ts";
import type { ModelSource } from "./protocol.ts";

/**
 * A model folder, or a GGUF file as one.
 * @param library where downloads are
 * @throws R1Error E_HTTP for an address that is not one, E_FILE_MISSING for no files at all or a download that is not there,
 *   E_CONFIG for one that is not the model that it was downloaded as, and what `modelFolder` throws
 */
export async function openFolder(
  source: ModelSource,
  library: () => Promise<ModelLibrary>,
  signal?: AbortSignal,
): Promise<ModelFolder> {
  if (source.kind === "url") return openAddress(source.baseUrl, signal);
  if (source.kind === "stored") return openStored(await library(), source.id, signal);
  if (source.kind === "adapted") return (await openAdapted(source, library, signal)).folder;
  const [first] = source.files;
  if (!first)
    throw new R1Error("E_FILE_MISSING", "no files were given; expected a Hugging Face model folder or a GGUF file");
  const [top, ...below] = first.path.split("/").filter((segment) => segment !== "");
  const name = top !== undefined && below.length > 0 ? top : "dropped files";
  return modelFolder(blobFolder(name, source.files), undefined, signal);
}

/** A model, and the adapter that runs beside it. */
export interface AdaptedModel {
  /** With what of the adapter does not run beside the weights, but is in their place. */
  readonly base: ModelFolder;
  readonly adapter: AdapterTensors;
}

/**
 * A model with an adapter: the two apart, and as one folder with the adapter added in.
 * @throws R1Error what `openFolder` and `readAdapter` throw
 */
export async function openAdapted(
  { name, base: from, adapter: files }: Extract<ModelSource, { readonly kind: "adapted" }>,
  library: () => Promise<ModelLibrary>,
  signal?: AbortSignal,
): Promise<{ readonly folder: ModelFolder; readonly adapted: AdaptedModel }> {
  const base = await openFolder(from, library, signal);
  const spec = await readModelSpec(base, signal);
  const adapterFolder = blobFolder(
    name,
    Object.entries(files).map(([path, bytes]) => ({ path, blob: new Blob([bytes]) })),
  );
  const adapter = await readAdapter(adapterFolder, spec, signal);
  return {
    folder: await adaptedFolder(name, base, spec, adapter, signal),
    adapted: { base: await replacedFolder(base, spec, adapter, signal), adapter },
  };
}

/** A server's folder cannot be listed: an address that ends in a GGUF file's name is that file's. */
async function openAddress(address: string, signal?: AbortSignal): Promise<ModelFolder> {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  const file = url?.pathname.split("/").at(-1) ?? "";
  if (!url || !isGgufName(file)) return httpFolder(address);
  url.pathname = url.pathname.slice(0, -file.length);
  return modelFolder(httpFolder(url.href), decodeURIComponent(file), signal);
}

async function openStored(library: ModelLibrary, id: string, signal?: AbortSignal): Promise<ModelFolder> {
  const store = await library.store(id);
  const manifest = await readManifest(store);
  if (!manifest)
    throw new R1Error("E_FILE_MISSING", `${id}: the model is not in this browser's storage`, { model: id });
  const folder = await modelFolder(store, manifest.format === "gguf" ? manifest.file : undefined, signal);
  checkCatalogueConfig(manifest.repository, await readJson(folder, "config.json"));
  return folder;
}
