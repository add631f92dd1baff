/** Stands for a bar in a formula of a table, where a bar would divide cells; a sign that no text has. */
export const BAR = "\ue07c";

/** A formula's TeX as it was written. */
export function texOf(source: string): string {
  return source.replaceAll(BAR, "|");
}

/** The same as the typesetter takes it: in a line of its own `%` is a per cent sign, and begins no comment. */
export function typesetSource(tex: string): string {
  return tex.includes("\n") ? tex : tex.replaceAll(/(?<!\\)%/g, "\\%");
}
