import { R1Error } from "../errors.ts";
import type { ErrorCode } from "../errors.ts";

/** What a value from a JSON file is, in the words of an error message. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "object":
      return "an object";
    case "undefined":
      return "missing";
    case "string":
      return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
    case "number":
    case "boolean":
      return `the ${typeof value} ${value}`;
    default:
      return `a ${typeof value}`;
  }
}

/** An error that names the field, what was found and what was expected. */
export function wrongField(code: ErrorCode, field: string, found: unknown, expected: string): R1Error {
  return new R1Error(code, `${field} is ${kindOf(found)}; expected ${expected}`, { field });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws R1Error with the given code when the value is not a JSON object */
export function asObject(code: ErrorCode, field: string, value: unknown): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw wrongField(code, field, value, "an object");
  return value;
}

/** As `asObject`, for a file or field that may be absent. */
export function asOptionalObject(code: ErrorCode, field: string, value: unknown): Readonly<Record<string, unknown>> {
  return value === undefined || value === null ? {} : asObject(code, field, value);
}
