import { R1Error } from "../../errors.ts";
import { isFileName } from "../file-name.ts";
import { quote } from "../quote.ts";

/** A model on a hub, as a reader names it. */
export interface HubAddress {
  /** "owner/name" */
  readonly repository: string;
  /** A branch, a tag or a commit. */
  readonly revision: string;
  /** One file of the repository: a GGUF file among several, or a safetensors file. */
  readonly file?: string;
}

/** What a hub's branch is called unless another one is asked for. */
export const DEFAULT_REVISION = "main";

const MAX_ADDRESS = 1000;
const PAGE = /^https?:\/\/(?:huggingface\.co|hf\.co)\//i;

/**
 * Reads `owner/name[@revision][:file]`, or the address of a model's or a file's page on the Hugging Face Hub.
 * @throws R1Error E_HUB_NAME
 */
export function parseHubAddress(text: string): HubAddress {
  const trimmed = text.trim();
  const found = trimmed.length > MAX_ADDRESS ? undefined : PAGE.test(trimmed) ? fromPage(trimmed) : fromText(trimmed);
  if (found) return found;
  throw new R1Error(
    "E_HUB_NAME",
    `${quote(text)}: expected owner/name, owner/name@revision or owner/name@revision:file`,
  );
}

/** The same as a text that {@link parseHubAddress} reads. */
export function formatHubAddress({ repository, revision, file }: HubAddress): string {
  return `${repository}${revision === DEFAULT_REVISION ? "" : `@${revision}`}${file === undefined ? "" : `:${file}`}`;
}

function fromText(text: string): HubAddress | undefined {
  const [, repository = "", revision, file] = /^([^@:]+)(?:@([^:]+))?(?::(.+))?$/.exec(text) ?? [];
  return checked(repository, revision, file);
}

function fromPage(text: string): HubAddress | undefined {
  if (!URL.canParse(text)) return undefined;
  const [owner, name, view, ...rest] = new URL(text).pathname.split("/").slice(1).map(decoded);
  if (name === undefined) return undefined;
  const repository = `${owner}/${name}`;
  const below = rest.filter((segment) => segment !== "");
  if (view === "tree") return checked(repository, below.join("/") || undefined, undefined);
  if (view !== "blob" && view !== "resolve") return checked(repository, undefined, undefined);
  return checked(repository, below[0], below.slice(1).join("/"));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    // Not a name that a hub has; refused below.
    return "%";
  }
}

function checked(
  repository: string,
  revision: string = DEFAULT_REVISION,
  file: string | undefined,
): HubAddress | undefined {
  if (!/^\w[\w.-]{0,95}\/\w[\w.-]{0,95}$/.test(repository)) return undefined;
  if (!isRevision(revision) || repository.includes("..")) return undefined;
  if (file === undefined) return { repository, revision };
  return file.split("/").every(isFileName) ? { repository, revision, file } : undefined;
}

/** True for what may be a branch, a tag, a pull request's `refs/pr/1` or a commit. */
export function isRevision(text: string): boolean {
  return /^\w[\w.-]*(\/[\w.-]+)*$/.test(text) && text.length <= 255 && !text.includes("..");
}
