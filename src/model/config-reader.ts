import { R1Error } from "../errors.ts";

/** Reads checked fields out of a JSON object, so that every complaint names the file, the field and what was found. */
export class ConfigReader {
  readonly file: string;
  readonly #fields: ReadonlyMap<string, unknown>;

  /** @throws R1Error E_CONFIG when `value` is not an object */
  constructor(value: unknown, file: string) {
    this.file = file;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new R1Error("E_CONFIG", `${file}: expected a JSON object`);
    }
    this.#fields = new Map(Object.entries(value));
  }

  error(field: string, complaint: string): R1Error {
    return new R1Error("E_CONFIG", `${this.file}: ${field}: ${complaint}`, { field });
  }

  /** Whether the field is there and not null. */
  has(field: string): boolean {
    return (this.#fields.get(field) ?? null) !== null;
  }

  integer(field: string, least: number, most: number, fallback?: number): number {
    const value = this.has(field) ? this.#fields.get(field) : fallback;
    if (value === undefined) throw this.error(field, "missing");
    if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most) {
      throw this.error(field, `found ${show(value)}; expected a whole number from ${least} to ${most}`);
    }
    return value;
  }

  positive(field: string, fallback?: number): number {
    const value = this.has(field) ? this.#fields.get(field) : fallback;
    if (value === undefined) throw this.error(field, "missing");
    if (typeof value !== "number" || !(value > 0 && value < Infinity)) {
      throw this.error(field, `found ${show(value)}; expected a number above 0`);
    }
    return value;
  }

  boolean(field: string, fallback: boolean): boolean {
    const value = this.has(field) ? this.#fields.get(field) : fallback;
    if (typeof value !== "boolean") throw this.error(field, `found ${show(value)}; expected true or false`);
    return value;
  }

  optionalString(field: string): string | undefined {
    const value = this.#fields.get(field);
    return typeof value === "string" ? value : undefined;
  }

  array(field: string): readonly unknown[] | undefined {
    const value = this.#fields.get(field);
    return Array.isArray(value) ? value : undefined;
  }

  object(field: string): ConfigReader | undefined {
    return this.has(field) ? new ConfigReader(this.#fields.get(field), `${this.file}: ${field}`) : undefined;
  }

  /** @throws R1Error E_CONFIG unless the field is missing (and `fallback` is what is supported) or has the supported value */
  expect(field: string, supported: string | number | boolean, fallback: string | number | boolean): void {
    const value = this.has(field) ? this.#fields.get(field) : fallback;
    if (value !== supported) throw this.error(field, `${show(value)} is not supported; only ${supported} is`);
  }
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? typeof value).slice(0, 60);
}
