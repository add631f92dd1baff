import { blobFolder } from "../checkpoint/blob.ts";
import { checkCatalogueConfig } from "../checkpoint/hub/catalogue.ts";
import { readManifest } from "../checkpoint/hub/manifest.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import { httpFolder } from "../checkpoint/http.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import type { ModelSource } from "./protocol.ts";

/**
 * @param library where downloads are
 * @throws R1Error E_HTTP for an address that is not one, E_FILE_MISSING for no files at all or a download that is not there,
 *   E_CONFIG for one that is not the model that it was downloaded as
 */
export async function openFolder(source: ModelSource, library: () => Promise<ModelLibrary>): Promise<ModelFolder> {
  if (source.kind === "url") return httpFolder(source.baseUrl);
  if (source.kind === "stored") return openStored(await library(), source.id);
  const [first] = source.files;
  if (!first) throw new R1Error("E_FILE_MISSING", "no files were given; expected a Hugging Face model folder");
  const [top, ...below] = first.path.split("/").filter((segment) => segment !== "");
  return blobFolder(top !== undefined && below.length > 0 ? top : "dropped files", source.files);
}

async function openStored(library: ModelLibrary, id: string): Promise<ModelFolder> {
  const store = await library.store(id);
  const manifest = await readManifest(store);
  if (!manifest)
    throw new R1Error("E_FILE_MISSING", `${id}: the model is not in this browser's storage`, { model: id });
  checkCatalogueConfig(manifest.repository, await readJson(store, "config.json"));
  return store;
}
