import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

/** Wrong usage: exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

type OptionSpecs = NonNullable<ParseArgsConfig["options"]>;

/** Options every command takes. */
export const COMMON_OPTIONS = {
  json: { type: "boolean" },
  device: { type: "string" },
} as const satisfies OptionSpecs;

/** Options that name a file or a folder. An empty name, as of a variable that is not set, would be the folder one stands in. */
const PATHS: ReadonlySet<string> = new Set(["adapter", "config", "file", "messages", "model", "out"]);

/** Parsed options, read with checks. */
export class Args {
  readonly positionals: readonly string[];
  readonly #values: Readonly<Record<string, unknown>>;

  /** @throws UsageError for an unknown option, a missing value or an empty path */
  constructor(argv: readonly string[], options: OptionSpecs, maxPositionals = 0) {
    try {
      const { values, positionals } = parseArgs({
        args: joinNegatives(argv, { ...COMMON_OPTIONS, ...options }),
        options: { ...COMMON_OPTIONS, ...options },
        allowPositionals: true,
        strict: true,
      });
      this.#values = values;
      this.positionals = positionals;
    } catch (cause) {
      throw new UsageError(cause instanceof Error ? cause.message : String(cause));
    }
    if (this.positionals.length > maxPositionals)
      throw new UsageError(`unexpected argument: ${this.positionals[maxPositionals]}`);
    const empty = Object.keys(this.#values).find((name) => PATHS.has(name) && this.text(name)?.trim() === "");
    if (empty !== undefined) throw new UsageError(`--${empty} is empty; expected a path`);
    if (this.positionals.some((word) => word.trim() === "")) throw new UsageError("an argument is empty");
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new UsageError(`--${name} is missing`);
    return value;
  }

  /** @throws UsageError when the value is not a number */
  number(name: string): number | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) throw new UsageError(`--${name} ${value}: expected a number`);
    return number;
  }

  /** Comma-separated whole numbers. */
  ids(name: string): number[] | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if (value.trim() === "") return [];
    return value.split(",").map((part) => {
      const id = Number(part);
      if (part.trim() === "" || !Number.isInteger(id)) throw new UsageError(`--${name}: ${part} is not a whole number`);
      return id;
    });
  }

  device(): "auto" | "software" {
    const value = this.text("device") ?? "auto";
    if (value === "auto" || value === "software") return value;
    throw new UsageError(`--device ${value}: expected auto or software`);
  }

  limits(): "highest" | "default" {
    const value = this.text("limits") ?? "highest";
    if (value === "highest" || value === "default") return value;
    throw new UsageError(`--limits ${value}: expected highest or default`);
  }
}

/** No option has a single dash, so what begins with one after an option that takes a value is that value: `--answer -5`. */
function joinNegatives(argv: readonly string[], options: OptionSpecs): string[] {
  const out: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const [word = "", next] = [argv[i], argv[i + 1]];
    const takesValue = word.startsWith("--") && options[word.slice(2)]?.type === "string";
    if (takesValue && next !== undefined && /^-[^-]/.test(next)) {
      out.push(`${word}=${next}`);
      i++;
    } else out.push(word);
  }
  return out;
}
