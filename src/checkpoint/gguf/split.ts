import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";
import type { ModelFolder } from "../source.ts";
import { openGguf } from "./file.ts";
import type { GgufFile } from "./file.ts";
import { MetadataReader } from "./metadata.ts";

/** Parts of a model of trillions of parameters in the usual tens of gigabytes. */
export const MAX_PARTS = 1000;

interface SplitName {
  readonly stem: string;
  readonly parts: number;
}

function splitName(file: string): SplitName | undefined {
  const [, stem, , parts] = /^(.+)-(\d{5})-of-(\d{5})\.gguf$/.exec(file) ?? [];
  return stem === undefined ? undefined : { stem, parts: Number(parts) };
}

/** What a file is called without what only says that it is a part and a GGUF. */
export function modelNameOf(file: string): string {
  return splitName(file)?.stem ?? file.replace(/\.gguf$/, "");
}

function partName({ stem, parts }: SplitName, part: number): string {
  const digits = (value: number): string => String(value).padStart(5, "0");
  return `${stem}-${digits(part + 1)}-of-${digits(parts)}.gguf`;
}

/**
 * Opens a GGUF file or, where its name is that of a part (`…-00001-of-00003.gguf`), all parts in their order: the first
 * holds the metadata.
 * @throws R1Error E_FILE_MISSING, E_FORMAT for parts that do not belong together, and what `openGguf` throws
 */
export async function openParts(
  folder: ModelFolder,
  file: string,
  signal?: AbortSignal,
): Promise<readonly [GgufFile, ...GgufFile[]]> {
  const split = splitName(file);
  if (!split) return [await openPart(folder, file, signal)];
  if (split.parts < 1 || split.parts > MAX_PARTS) {
    throw new R1Error("E_FORMAT", `${file}: ${split.parts} parts; expected 1 to ${MAX_PARTS}`, { file });
  }
  const first = await openPart(folder, partName(split, 0), signal);
  const files: [GgufFile, ...GgufFile[]] = [first];
  for (let part = 1; part < split.parts; part++) files.push(await openPart(folder, partName(split, part), signal));
  for (const [part, opened] of files.entries()) checkPart(opened, part, split.parts);
  const told = new MetadataReader(first.metadata, first.source.name).integer("split.tensors.count");
  const found = files.reduce((sum, { tensors }) => sum + tensors.length, 0);
  if (told !== undefined && told !== found) {
    throw new R1Error("E_FORMAT", `${first.source.name}: split.tensors.count is ${told}; the parts have ${found}`, {
      file: first.source.name,
    });
  }
  return files;
}

async function openPart(folder: ModelFolder, file: string, signal: AbortSignal | undefined): Promise<GgufFile> {
  const source = await folder.open(file, signal);
  if (source) return openGguf(source, signal);
  throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${quote(file)}`, { folder: folder.name, file });
}

function checkPart({ source, metadata }: GgufFile, part: number, parts: number): void {
  const read = new MetadataReader(metadata, source.name);
  const [number = part, count = parts] = [read.integer("split.no"), read.integer("split.count")];
  if (number === part && count === parts) return;
  throw new R1Error(
    "E_FORMAT",
    `${source.name}: its metadata make it part ${number + 1} of ${count}; its name, part ${part + 1} of ${parts}`,
    { file: source.name },
  );
}
