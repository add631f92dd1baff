import * as v from "valibot";
import { readJson } from "../source.ts";
import type { ModelFolder } from "../source.ts";
import { isRevision } from "./address.ts";
import type { HubModel } from "./choose-model.ts";
import type { HubFile, HubListing } from "./hub.ts";
import type { ModelStore } from "./model-store.ts";

/** What a stored model is, and which files belong to it; written before the first of them comes. */
export interface Manifest {
  readonly repository: string;
  /** The one that was asked for, and the commit that it was. */
  readonly revision: string;
  readonly commit: string;
  readonly format: HubModel["format"];
  /** As in `HubModel`. */
  readonly file: string;
  readonly files: readonly HubFile[];
  /** A later commit of the revision that the reader does not want. */
  readonly passedCommit?: string;
}

export const MANIFEST = "r1-download.json";

const text = v.pipe(v.string(), v.maxLength(1000));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const manifestSchema = v.object({
  repository: v.pipe(text, v.regex(/^\w[\w.-]*\/\w[\w.-]*$/)),
  revision: v.pipe(text, v.check(isRevision)),
  commit: v.pipe(text, v.check(isRevision)),
  format: v.picklist(["safetensors", "gguf", "onnx"]),
  file: text,
  files: v.pipe(
    v.array(
      v.object({
        path: text,
        size: count,
        sha256: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
        gitOid: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/))),
      }),
    ),
    v.maxLength(10_000),
  ),
  passedCommit: v.exactOptional(v.pipe(text, v.check(isRevision))),
});

export function manifestOf({ repository, revision, commit }: HubListing, model: HubModel): Manifest {
  const { format, file, files } = model;
  return { repository, revision, commit, format, file, files };
}

/** A folder's manifest; undefined when it has none that can be read, as one that was not downloaded. */
export async function readManifest(folder: ModelFolder): Promise<Manifest | undefined> {
  const json = await readJson(folder, MANIFEST).catch((): undefined => undefined);
  const parsed = v.safeParse(manifestSchema, json);
  return parsed.success ? parsed.output : undefined;
}

export async function writeManifest(store: ModelStore, manifest: Manifest): Promise<void> {
  await writeJson(store, MANIFEST, manifest);
}

/** A small file, whole or not at all. */
export async function writeJson(store: ModelStore, file: string, value: unknown): Promise<void> {
  const part = await store.openPart(`${file}.part`);
  try {
    await part.clear();
    await part.append(new TextEncoder().encode(JSON.stringify(value)));
  } finally {
    await part.close();
  }
  await store.rename(`${file}.part`, file);
}

/** Content that is known to be the same. */
export function isSameFile(a: HubFile, b: HubFile): boolean {
  return a.size === b.size && a.sha256 === b.sha256 && a.gitOid === b.gitOid;
}

/** A name that is one folder's: the repository, and the file where it is one of several models. */
export function storeId({ repository, format, file }: Pick<Manifest, "repository" | "format" | "file">): string {
  const own = format === "safetensors" ? [] : file.replace(/\.(gguf|onnx)$/, "").split("/");
  const parts = [...repository.split("/"), ...own];
  return parts.join("--").slice(0, 200);
}
