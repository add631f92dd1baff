import { R1Error } from "../errors.ts";
import { quote } from "./quote.ts";

/** Longest name that common file systems take, in UTF-16 units. */
const MAX_NAME = 255;

/** True for a bare file name: no path, no drive, nothing that a file system or a URL reads as more than a name. */
export function isFileName(name: string): boolean {
  return name.length <= MAX_NAME && name !== "." && name !== ".." && /^[^/\\:\p{Cc}\p{Cs}]+$/u.test(name);
}

/**
 * The segments of a path inside a folder ("onnx/model.onnx").
 * @throws R1Error E_FORMAT for a path that could lead out of it
 */
export function pathSegments(path: string): string[] {
  const segments = path.split("/");
  if (segments.every(isFileName)) return segments;
  throw new R1Error("E_FORMAT", `file name ${quote(path)}: expected the name of a file inside the folder`);
}
