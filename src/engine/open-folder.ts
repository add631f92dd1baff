import { blobFolder } from "../checkpoint/blob.ts";
import { isGgufName, modelFolder } from "../checkpoint/gguf/folder.ts";
import { checkCatalogueConfig } from "../checkpoint/hub/catalogue.ts";
import { readManifest } from "../checkpoint/hub/manifest.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import { httpFolder } from "../checkpoint/http.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
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
  const [first] = source.files;
  if (!first)
    throw new R1Error("E_FILE_MISSING", "no files were given; expected a Hugging Face model folder or a GGUF file");
  const [top, ...below] = first.path.split("/").filter((segment) => segment !== "");
  const name = top !== undefined && below.length > 0 ? top : "dropped files";
  return modelFolder(blobFolder(name, source.files), undefined, signal);
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
