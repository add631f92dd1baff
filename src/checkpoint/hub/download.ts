import { isR1Error, R1Error, throwIfAborted } from "../../errors.ts";
import { readJson } from "../source.ts";
import type { HubModel } from "./choose-model.ts";
import { downloadFile } from "./download-file.ts";
import type { FileEnvironment } from "./download-file.ts";
import type { Hub, HubFile, HubListing } from "./hub.ts";
import { isSameFile, manifestOf, readManifest, writeManifest } from "./manifest.ts";
import type { Manifest } from "./manifest.ts";
import { Meter } from "./meter.ts";
import type { DownloadProgress } from "./meter.ts";
import type { ModelStore } from "./model-store.ts";
import type { Hasher } from "./sha256.ts";
import { Sha256 } from "./sha256.ts";
import { TRANSFER_SETTINGS } from "./transfer.ts";
import type { TransferSettings } from "./transfer.ts";

export interface DownloadOptions {
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Ends the download where it is; the next one goes on from there. */
  readonly signal?: AbortSignal | undefined;
  /** Bytes that can be stored; asked before the first byte. */
  readonly freeBytes?: () => Promise<number | undefined>;
  /** Looks at `config.json` before the weights come, and throws where it is not what it should be. */
  readonly checkConfig?: (config: unknown) => void;
  readonly newSha256?: () => Hasher;
  readonly settings?: Partial<TransferSettings>;
}

/** What a browser needs beside a model, for its own notes. */
const SPARE_BYTES = 2 ** 20;

/**
 * Downloads a model into a folder: files that are there stay, a part is gone on with, each file has its name only when
 * its hash is right. One that arrives damaged is deleted and fetched once more.
 * @throws R1Error E_QUOTA before the first byte; E_HUB_MOVED for a commit that is gone or a file that has changed under
 *   it, E_HASH, E_STORAGE, E_ABORTED, what `Transfer` and `checkConfig` throw
 */
export async function downloadModel(
  hub: Hub,
  listing: HubListing,
  model: HubModel,
  store: ModelStore,
  options: DownloadOptions = {},
): Promise<Manifest> {
  const { signal } = options;
  const manifest = manifestOf(listing, model);
  const kept = await keepUnchanged(store, manifest);
  const missing = model.files.filter((file) => !kept.has(file.path));
  await checkRoom(store, missing, options.freeBytes);
  await writeManifest(store, manifest);
  const meter = new Meter(model.bytes, options.onProgress ?? (() => undefined));
  meter.finish(model.bytes - bytesOf(missing));
  const environment: FileEnvironment = {
    hub,
    store,
    meter,
    newSha256: options.newSha256 ?? (() => new Sha256()),
    settings: { ...TRANSFER_SETTINGS, ...options.settings },
    signal,
  };
  for (const file of model.files) {
    throwIfAborted(signal);
    if (!kept.has(file.path)) {
      await downloadFile(environment, hub.fileUrl(listing, file.path), file).catch((error: unknown) => {
        throw isR1Error(error) && error.code === "E_HUB_MISSING" ? moved(listing, file, error) : error;
      });
    }
    if (file.path === "config.json") options.checkConfig?.(await readJson(store, file.path, undefined, signal));
  }
  return manifest;
}

/**
 * Bytes of a model that are stored, parts included.
 * @returns `whole` when nothing is missing
 */
export async function storedBytes(
  store: ModelStore,
  { files }: Pick<Manifest, "files">,
): Promise<{ readonly bytes: number; readonly whole: boolean }> {
  let [bytes, whole] = [0, true];
  for (const { path, size } of files) {
    const found = await store.open(path);
    whole &&= found?.size === size;
    bytes += found?.size ?? (await store.open(`${path}.part`))?.size ?? 0;
  }
  return { bytes, whole };
}

/**
 * Names of the files that are there and need not come again. Those whose content the repository has changed since are
 * removed first: once the manifest is written, a file under its own name is taken for what the manifest says.
 */
async function keepUnchanged(store: ModelStore, manifest: Manifest): Promise<ReadonlySet<string>> {
  const before = await readManifest(store);
  const known = new Map(before?.files.map((file) => [file.path, file]));
  const kept = new Set<string>();
  for (const file of manifest.files) {
    const found = await store.open(file.path);
    const old = known.get(file.path);
    if (found?.size === file.size && old && isSameFile(old, file)) kept.add(file.path);
    else if (found) await store.remove(file.path);
  }
  const wanted = new Set(manifest.files.map(({ path }) => path));
  for (const path of known.keys()) {
    if (wanted.has(path)) continue;
    for (const name of [path, `${path}.part`, `${path}.part.json`]) await store.remove(name);
  }
  return kept;
}

async function checkRoom(
  store: ModelStore,
  missing: readonly HubFile[],
  freeBytes: DownloadOptions["freeBytes"],
): Promise<void> {
  const free = await freeBytes?.();
  if (free === undefined) return;
  const { bytes } = await storedBytes(store, { files: missing });
  const needed = bytesOf(missing) - bytes + SPARE_BYTES;
  if (needed <= free) return;
  throw new R1Error("E_QUOTA", `${store.name}: ${needed} bytes are needed; ${free} bytes are free`, { needed, free });
}

function moved({ repository, commit }: HubListing, { path }: HubFile, cause: R1Error): R1Error {
  const problem = `${repository}: ${path} is listed at ${commit} but is not there any more`;
  return new R1Error("E_HUB_MOVED", problem, { file: path, commit }, { cause });
}

function bytesOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}
