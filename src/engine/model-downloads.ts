import { modelFolder } from "../checkpoint/gguf/folder.ts";
import { formatHubAddress, parseHubAddress } from "../checkpoint/hub/address.ts";
import { checkCatalogueConfig } from "../checkpoint/hub/catalogue.ts";
import { chooseModel, modelsOf } from "../checkpoint/hub/choose-model.ts";
import type { HubModel } from "../checkpoint/hub/choose-model.ts";
import { downloadModel, storedBytes } from "../checkpoint/hub/download.ts";
import { Hub } from "../checkpoint/hub/hub.ts";
import type { HubListing } from "../checkpoint/hub/hub.ts";
import { readManifest, storeId, writeManifest } from "../checkpoint/hub/manifest.ts";
import type { Manifest } from "../checkpoint/hub/manifest.ts";
import { MemoryLibrary } from "../checkpoint/hub/memory-library.ts";
import type { ModelLibrary } from "../checkpoint/hub/model-store.ts";
import { readJson } from "../checkpoint/source.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error, throwIfAborted } from "../errors.ts";
import type { DownloadProgress, HubOffer, HubRequest, StoredChoice, StoredModel, StoredModels } from "./protocol.ts";

/** Downloads models into the browser's storage, and keeps its list. */
export class ModelDownloads {
  readonly #library: () => Promise<ModelLibrary>;

  constructor(library: () => Promise<ModelLibrary>) {
    this.#library = library;
  }

  /** @throws R1Error what `Hub.list` throws; E_HUB_FILES when it has none that can be opened */
  async offer(request: HubRequest, signal: AbortSignal): Promise<HubOffer> {
    const address = parseHubAddress(request.address);
    const hub = hubOf(request);
    const listing = await hub.list(address, signal);
    const all = modelsOf(listing.files);
    const chosen = address.file === undefined && all.length > 1 ? all : [chooseModel(listing, address)];
    const { repository, commit } = listing;
    const models = chosen.map(({ format, file, bytes }) => ({
      format,
      file,
      bytes,
      address: addressOf({ repository, revision: address.revision, format, file }),
    }));
    const config = await configOf(hub.folder(listing), chosen, signal);
    return { repository, commit, config, models };
  }

  /** @throws R1Error what `downloadModel` throws; E_BUSY when another tab writes the same model */
  async download(
    request: HubRequest,
    report: (progress: DownloadProgress) => void,
    signal: AbortSignal,
  ): Promise<StoredModel> {
    const address = parseHubAddress(request.address);
    const hub = hubOf(request);
    const [library, listing] = await Promise.all([this.#library(), hub.list(address, signal)]);
    const model = chooseModel(listing, address);
    requireContent(listing, model, request.sha256);
    const id = storeId({ repository: address.repository, ...model });
    return library.exclusively(id, async () => {
      const store = await library.store(id);
      const manifest = await downloadModel(hub, listing, model, store, {
        onProgress: report,
        signal,
        freeBytes: () => library.freeBytes(),
        checkConfig: (config) => checkCatalogueConfig(address.repository, config),
      });
      return this.#describe(library, id, manifest);
    });
  }

  /** @throws R1Error what `Hub.commitOf` throws */
  commit(request: HubRequest, signal: AbortSignal): Promise<string> {
    return hubOf(request).commitOf(parseHubAddress(request.address), signal);
  }

  /** @throws R1Error E_BUSY while it is being written, E_STORAGE, E_FILE_MISSING for one that is not there */
  async keep({ id, commit }: StoredChoice): Promise<void> {
    const library = await this.#library();
    await library.exclusively(id, async () => {
      const store = await library.store(id);
      const manifest = await readManifest(store);
      if (!manifest) throw new R1Error("E_FILE_MISSING", `${id}: the model is not in storage`, { model: id });
      await writeManifest(store, { ...manifest, passedCommit: commit });
    });
  }

  async list(): Promise<StoredModels> {
    const library = await this.#library();
    const models: StoredModel[] = [];
    for (const id of await library.ids()) {
      const manifest = await readManifest(await library.store(id));
      if (manifest) models.push(await this.#describe(library, id, manifest));
      // What began and was cut off before its first file says nothing, and takes no room.
      else await library.exclusively(id, () => library.remove(id)).catch(() => undefined);
    }
    return { models, isInMemory: library.kind === "memory", freeBytes: await library.freeBytes() };
  }

  /** @throws R1Error E_BUSY while it is being written, E_STORAGE */
  async remove(id: string): Promise<void> {
    const library = await this.#library();
    await library.exclusively(id, () => library.remove(id));
  }

  async #describe(library: ModelLibrary, id: string, manifest: Manifest): Promise<StoredModel> {
    const { bytes, whole } = await storedBytes(await library.store(id), manifest);
    const { repository, commit, format, file, passedCommit } = manifest;
    const totalBytes = manifest.files.reduce((sum, { size }) => sum + size, 0);
    const source =
      library instanceof MemoryLibrary
        ? ({ kind: "files", files: library.files(id) } as const)
        : ({ kind: "stored", id } as const);
    return {
      id,
      address: addressOf(manifest),
      repository,
      commit,
      format,
      bytes,
      totalBytes,
      source: whole ? source : undefined,
      weights: { format, file, bytes: totalBytes },
      ...(passedCommit === undefined ? {} : { passedCommit }),
    };
  }
}

/** @throws R1Error E_HUB_OTHER for a model without the file that is wanted */
function requireContent(
  { repository, commit }: HubListing,
  { file, files }: HubModel,
  wanted: string | undefined,
): void {
  if (wanted === undefined || files.some(({ sha256 }) => sha256 === wanted)) return;
  const found = files.find(({ path }) => path === file)?.sha256 ?? "nothing";
  throw new R1Error("E_HUB_OTHER", `${repository}: ${file} at ${commit}: found SHA-256 ${found}; expected ${wanted}`, {
    file,
    commit,
  });
}

/**
 * What a plan of memory needs, which costs little to fetch; GGUF files, which have it inside, are all of one model.
 * @throws R1Error E_ABORTED
 */
async function configOf(folder: ModelFolder, models: readonly HubModel[], signal: AbortSignal): Promise<unknown> {
  const [gguf] = models.filter(({ format }) => format === "gguf").toSorted((a, b) => a.bytes - b.bytes);
  try {
    const config = await readJson(folder, "config.json", undefined, signal);
    if (config !== undefined || !gguf) return config;
    return await readJson(await modelFolder(folder, gguf.file, signal), "config.json", undefined, signal);
  } catch {
    // The download says what is wrong with it.
    throwIfAborted(signal);
    return undefined;
  }
}

function hubOf({ endpoint, token }: HubRequest): Hub {
  return new Hub({ ...(endpoint === undefined ? {} : { endpoint }), ...(token === undefined ? {} : { token }) });
}

/** Safetensors are a repository's one model; of GGUF files and ONNX graphs one has to be named. */
function addressOf(model: Pick<Manifest, "repository" | "revision" | "file"> & Pick<HubModel, "format">): string {
  const { repository, revision, format, file } = model;
  return formatHubAddress({ repository, revision, ...(format === "safetensors" ? {} : { file }) });
}
