import { asOptionalObject, wrongField } from "./fields.ts";

/** Sampling that a checkpoint's authors recommend in `generation_config.json`; fields they left out are left out here. */
export interface SamplingDefaults {
  readonly doSample?: boolean;
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly minP?: number;
  readonly repetitionPenalty?: number;
  readonly maxNewTokens?: number;
}

const NUMBERS = {
  temperature: "temperature",
  top_p: "topP",
  top_k: "topK",
  min_p: "minP",
  repetition_penalty: "repetitionPenalty",
  max_new_tokens: "maxNewTokens",
} as const satisfies Record<string, keyof SamplingDefaults>;

/**
 * @param generationConfig parsed `generation_config.json`, or undefined
 * @throws R1Error E_CONFIG naming the field; ranges are checked where the values are used
 */
export function readSamplingDefaults(generationConfig: unknown): SamplingDefaults {
  const file = "generation_config.json";
  const config = asOptionalObject("E_CONFIG", file, generationConfig);
  const found: Record<string, number | boolean> = {};
  for (const [field, name] of Object.entries(NUMBERS)) {
    const value = config[field];
    if (value === undefined || value === null) continue;
    if (typeof value !== "number") throw wrongField("E_CONFIG", `${file} ${field}`, value, "a number");
    found[name] = value;
  }
  const sample = config["do_sample"];
  if (sample !== undefined && sample !== null) {
    if (typeof sample !== "boolean") throw wrongField("E_CONFIG", `${file} do_sample`, sample, "true or false");
    found["doSample"] = sample;
  }
  return found;
}
