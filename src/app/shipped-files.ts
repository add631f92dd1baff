import * as v from "valibot";
import { R1Error } from "../errors.ts";

/**
 * The text of a file that comes with the page.
 * @param path from the page's own folder, whatever path that is served under
 * @param base the page's address
 * @throws R1Error E_HTTP
 */
export async function fetchShipped(path: string, base = document.baseURI): Promise<string> {
  const url = new URL(path, base);
  try {
    const response = await fetch(url);
    if (response.ok) return await response.text();
    throw new R1Error("E_HTTP", `${url.href}: the server answered ${response.status}; expected 200`);
  } catch (cause) {
    if (cause instanceof R1Error) throw cause;
    throw new R1Error("E_HTTP", `${url.href}: the connection failed`, {}, { cause });
  }
}

/** @throws R1Error E_JSON naming file and field */
export function parseShipped<Schema extends v.GenericSchema>(
  schema: Schema,
  json: string,
  file: string,
): v.InferOutput<Schema> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), json);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw new R1Error("E_JSON", `${file}: ${v.getDotPath(issue) ?? "the list"}: ${issue.message}`);
}
