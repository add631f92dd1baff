/** What a template does wrong: its syntax, or what Python would raise. The message is for the reader of an error. */
export class TemplateError extends Error {}

/** An error of Python's, under its name there. */
export function pythonError(kind: string, message: string): TemplateError {
  return new TemplateError(`${kind}: ${message}`);
}

export const typeError = (message: string): TemplateError => pythonError("TypeError", message);
export const valueError = (message: string): TemplateError => pythonError("ValueError", message);
