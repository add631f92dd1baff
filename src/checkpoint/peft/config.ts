import { R1Error } from "../../errors.ts";
import { quote } from "../quote.ts";
import { Expression, ExpressionError, matchingBudget } from "./expression.ts";

export const ADAPTER_CONFIG = "adapter_config.json";
export const ADAPTER_WEIGHTS = "adapter_model.safetensors";

const MAX_RANK = 1024;
const MAX_ENTRIES = 4096;

/** Which biases were trained and lie in the file in place of the model's: none, all, or those of adapted layers. */
export type AdapterBias = "none" | "all" | "lora_only";

/** A PEFT `LoraConfig` of which nothing is left out: what it asks for is in here, or it was refused. */
export interface AdapterConfig {
  /** As it was read. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly bias: AdapterBias;
  /** Names, or ends of names, of modules that the adapter replaces. */
  readonly modulesToSave: readonly string[];
  /** Whether a linear layer (or the embedding) has an adapter. @throws R1Error E_ADAPTER for an expression that takes too long */
  readonly adapts: (module: string) => boolean;
  /** Whether a module is one of `modulesToSave`, or inside one. */
  readonly replaces: (module: string) => boolean;
  readonly rankOf: (module: string) => number;
  /** α / r, or α / √r with `use_rslora`. */
  readonly scaleOf: (module: string) => number;
}

/** What says nothing about a trained adapter's values. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "auto_mapping",
  "base_model_name_or_path",
  "corda_config",
  "eva_config",
  "inference_mode",
  "loftq_config",
  "lora_dropout",
  "lora_ga_config",
  "megatron_core",
  "peft_version",
  "qalora_group_size",
  "revision",
  "runtime_config",
]);

const READ: ReadonlySet<string> = new Set([
  "alpha_pattern",
  "bias",
  "exclude_modules",
  "init_lora_weights",
  "layers_pattern",
  "layers_to_transform",
  "lora_alpha",
  "modules_to_save",
  "peft_type",
  "r",
  "rank_pattern",
  "target_modules",
  "task_type",
  "use_rslora",
]);

/** Why a field has to be off. Fields that are not here are refused too where they are on, as not known. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  alora_invocation_tokens: "an adapter that begins at an invocation (aLoRA)",
  arrow_config: "routing between adapters (Arrow)",
  ensure_weight_tying: "adapters that are tied to each other",
  fan_in_fan_out: "weights stored as [in, out], which these architectures do not have",
  kasa_config: "a changed base model (KaSA)",
  layer_replication: "repeated layers",
  lora_bias: "a bias of B",
  megatron_config: "Megatron's layers",
  monteclora_config: "sampled adapters (MonteCLoRA)",
  target_parameters: "adapted parameters that are no linear layer's",
  trainable_token_indices: "single trained rows of the embedding",
  use_bdlora: "block-diagonal factors (BD-LoRA)",
  use_dora: "weights decomposed into magnitude and direction (DoRA)",
  use_qalora: "pooled inputs (QALoRA)",
  velora_config: "compressed activations (VeLoRA)",
};

/** Initialisations that leave the base model as it is; PiSSA, OLoRA, CorDA, LoftQ and LoRA-GA take part of it away. */
const PLAIN_STARTS: ReadonlySet<unknown> = new Set([true, false, null, undefined, "gaussian", "eva", "orthogonal"]);

const DEFAULT_TARGETS = ["q_proj", "v_proj"];
const LINEAR = /(?:^|\.)(?:self_attn\.[qkvo]_proj|mlp\.(?:gate|up|down)_proj)$/;

/**
 * Reads `adapter_config.json` with the rules of PEFT's `check_target_module_exists` and `get_pattern_key`.
 * @throws R1Error E_FORMAT for JSON that is no LoRA configuration, E_ADAPTER naming the field for what is not supported
 */
export function parseAdapterConfig(json: unknown): AdapterConfig {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new R1Error("E_FORMAT", `${ADAPTER_CONFIG}: expected a JSON object`);
  }
  const fields = new Map<string, unknown>(Object.entries(json));
  const peftType = fields.get("peft_type");
  if (peftType !== "LORA") {
    throw new R1Error("E_FORMAT", `${ADAPTER_CONFIG}: peft_type: found ${shown(peftType)}; supported is LORA`, {
      field: "peft_type",
    });
  }
  checkFields(fields);
  const r = rank("r", fields.get("r") ?? 8);
  const alpha = positive("lora_alpha", fields.get("lora_alpha") ?? 8);
  const rslora = flag(fields, "use_rslora");
  const bias = biasOf(fields.get("bias") ?? "none");
  const modulesToSave = names(fields, "modules_to_save") ?? [];
  const replaces = (module: string): boolean => modulesToSave.some((name) => isWithin(module, name));
  const budget = matchingBudget();
  const [rankPattern, alphaPattern] = (["rank_pattern", "alpha_pattern"] as const).map((field) =>
    patterns(fields, field, budget),
  );
  const targets = targetsOf(fields, budget);
  const excluded = matcher(fields, "exclude_modules", budget);
  const rankOf = (module: string): number => rank("rank_pattern", rankPattern?.(module) ?? r);
  return {
    json: Object.fromEntries(fields),
    bias,
    modulesToSave,
    replaces,
    adapts: (module) => excluded?.(module) !== true && !replaces(module) && targets(module),
    rankOf,
    scaleOf: (module) => {
      const own = positive("alpha_pattern", alphaPattern?.(module) ?? alpha);
      return own / (rslora ? Math.sqrt(rankOf(module)) : rankOf(module));
    },
  };
}

function checkFields(fields: ReadonlyMap<string, unknown>): void {
  for (const [field, value] of fields) {
    if (WITHOUT_EFFECT.has(field) || READ.has(field) || isOff(value)) continue;
    const why = Object.hasOwn(UNSUPPORTED, field) ? UNSUPPORTED[field] : "a field that is not known";
    throw refused(field, value, `${why ?? ""} is not supported; expected it off`);
  }
  const start = fields.get("init_lora_weights");
  if (!PLAIN_STARTS.has(start)) {
    throw refused(
      "init_lora_weights",
      start,
      "it changes the base model; supported are true, false, gaussian, eva and orthogonal (PEFT converts such an adapter with path_initial_model_for_weight_conversion)",
    );
  }
  const task = fields.get("task_type") ?? "CAUSAL_LM";
  if (task !== "CAUSAL_LM") throw refused("task_type", task, "supported is CAUSAL_LM");
}

function isOff(value: unknown): boolean {
  if (value === null || value === false || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

type ModuleTest = (module: string) => boolean;

function targetsOf(fields: ReadonlyMap<string, unknown>, budget: ReturnType<typeof matchingBudget>): ModuleTest {
  const value = fields.get("target_modules") ?? DEFAULT_TARGETS;
  const layers = layersOf(fields);
  if (typeof value === "string") {
    if (layers)
      throw refused("layers_to_transform", fields.get("layers_to_transform"), "it needs a list in target_modules");
    if (value.toLowerCase() === "all-linear") return (module) => LINEAR.test(module);
    return expression("target_modules", value, budget).matches;
  }
  const list = strings("target_modules", value);
  if (list.length === 0) throw refused("target_modules", value, "expected at least one module");
  // As PEFT has it, a whole name is meant whatever its layer.
  return (module) => list.includes(module) || (endsIn(module, list) && layers?.(module) !== false);
}

/** `layers_to_transform` and `layers_pattern`; undefined for all layers. */
function layersOf(fields: ReadonlyMap<string, unknown>): ModuleTest | undefined {
  const given = fields.get("layers_to_transform") ?? null;
  const patternValue = fields.get("layers_pattern") ?? null;
  const containers = names(fields, "layers_pattern", true) ?? [];
  if (given === null) {
    if (!isOff(patternValue)) throw refused("layers_pattern", patternValue, "it needs layers_to_transform");
    return undefined;
  }
  const wanted = Array.isArray(given) ? given : [given];
  if (!wanted.every((layer) => Number.isInteger(layer))) {
    throw refused("layers_to_transform", given, "expected whole numbers");
  }
  if (wanted.length === 0) return undefined;
  const kept = new Set<unknown>(wanted);
  return (module) => {
    // The first number below a container of that name, which has something before it.
    const [before = "", container = "", index] = /^(?:(.*?)\.)([^.]*)\.(\d+)\./.exec(module)?.slice(1) ?? [];
    if (before === "" || index === undefined) return false;
    return (containers.length === 0 || containers.includes(container)) && kept.has(Number(index));
  };
}

/** A test for a list of names or an expression; undefined where the field is off. */
function matcher(
  fields: ReadonlyMap<string, unknown>,
  field: string,
  budget: ReturnType<typeof matchingBudget>,
): ModuleTest | undefined {
  const value = fields.get(field);
  if (value === undefined || isOff(value)) return undefined;
  if (typeof value === "string") return expression(field, value, budget).matches;
  const list = strings(field, value);
  return (module) => list.includes(module) || endsIn(module, list);
}

/** A field that gives modules their own values: that of the first key that matches, undefined where none does. */
function patterns(
  fields: ReadonlyMap<string, unknown>,
  field: "rank_pattern" | "alpha_pattern",
  budget: ReturnType<typeof matchingBudget>,
): (module: string) => unknown {
  const value = fields.get(field) ?? {};
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw refused(field, value, "expected an object of numbers by module");
  }
  const entries = Object.entries(value);
  if (entries.length > MAX_ENTRIES) throw refused(field, entries.length, `the limit is ${MAX_ENTRIES} entries`);
  const check = field === "rank_pattern" ? rank : positive;
  const tests = entries.map(([key, own]) => [patternTest(field, key, budget), check(field, own)] as const);
  const known = new Map<string, unknown>();
  return (module) => {
    if (!known.has(module)) known.set(module, tests.find(([test]) => test(module))?.[1]);
    return known.get(module);
  };
}

/** Most keys are names: EVA writes one for each matrix, too many to match as expressions. */
function patternTest(field: string, key: string, budget: ReturnType<typeof matchingBudget>): ModuleTest {
  if (!/^\^?\w+(?:\.\w+)*$/.test(key)) return expression(field, key, budget).matchesFromDot;
  return key.startsWith("^") ? (module) => `^${module}` === key : (module) => module === key || endsIn(module, [key]);
}

function expression(
  field: string,
  source: string,
  budget: ReturnType<typeof matchingBudget>,
): { readonly matches: ModuleTest; readonly matchesFromDot: ModuleTest } {
  const told = <T>(run: () => T): T => {
    try {
      return run();
    } catch (error) {
      if (error instanceof ExpressionError)
        throw refused(field, source, `as an expression it is not supported: ${error.message}`);
      throw error;
    }
  };
  const compiled = told(() => new Expression(source, budget));
  return {
    matches: (module) => told(() => compiled.matches(module)),
    matchesFromDot: (module) => told(() => compiled.matchesFromDot(module)),
  };
}

function endsIn(module: string, list: readonly string[]): boolean {
  return list.some((name) => module.endsWith(`.${name}`));
}

/** Whether a module's name ends in `name` (as PEFT has it: `norm` is every norm), or that of one around it does. */
function isWithin(module: string, name: string): boolean {
  return `${module}.`.includes(`${name}.`);
}

/** A list of plain names of modules. */
function names(fields: ReadonlyMap<string, unknown>, field: string, alone = false): readonly string[] | undefined {
  const value = fields.get(field);
  if (value === undefined || isOff(value)) return undefined;
  const list = alone && typeof value === "string" ? [value] : strings(field, value);
  for (const name of list) {
    if (!/^\w+(?:\.\w+)*$/.test(name)) throw refused(field, name, "supported are names of modules");
  }
  return list;
}

function strings(field: string, value: unknown): readonly string[] {
  if (!Array.isArray(value) || !value.every((one) => typeof one === "string")) {
    throw refused(field, value, "expected an array of names");
  }
  if (value.length > MAX_ENTRIES) throw refused(field, value.length, `the limit is ${MAX_ENTRIES} names`);
  return value;
}

function rank(field: string, value: unknown): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_RANK) return value;
  throw refused(field, value, `expected a whole number from 1 to ${MAX_RANK}`);
}

function positive(field: string, value: unknown): number {
  if (typeof value === "number" && value > 0 && value < Infinity) return value;
  throw refused(field, value, "expected a number above 0");
}

function flag(fields: ReadonlyMap<string, unknown>, field: string): boolean {
  const value = fields.get(field) ?? false;
  if (typeof value === "boolean") return value;
  throw refused(field, value, "expected true or false");
}

function biasOf(value: unknown): AdapterBias {
  if (value === "none" || value === "all" || value === "lora_only") return value;
  throw refused("bias", value, "expected none, all or lora_only");
}

function refused(field: string, value: unknown, why: string): R1Error {
  return new R1Error("E_ADAPTER", `${ADAPTER_CONFIG}: ${field}: found ${shown(value)}; ${why}`, { field });
}

function shown(value: unknown): string {
  return typeof value === "string" ? quote(value) : (JSON.stringify(value) ?? "nothing").slice(0, 80);
}
