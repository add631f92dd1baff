import { blobFolder } from "../checkpoint/blob.ts";
import { httpFolder } from "../checkpoint/http.ts";
import type { ModelFolder } from "../checkpoint/source.ts";
import { R1Error } from "../errors.ts";
import type { ModelSource } from "./protocol.ts";

/** @throws R1Error E_HTTP for an address that is not one, E_FILE_MISSING for no files at all */
export function openFolder(source: ModelSource): ModelFolder {
  if (source.kind === "url") return httpFolder(source.baseUrl);
  const [first] = source.files;
  if (!first) throw new R1Error("E_FILE_MISSING", "no files were given; expected a Hugging Face model folder");
  const [top, ...below] = first.path.split("/").filter((segment) => segment !== "");
  return blobFolder(top !== undefined && below.length > 0 ? top : "dropped files", source.files);
}
