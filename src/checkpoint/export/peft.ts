import * as v from "valibot";
import { R1Error } from "../../errors.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { quote } from "../quote.ts";
import { readJson } from "../source.ts";
import type { ModelFolder } from "../source.ts";
import { readTexts, TOKENIZER_FILES } from "../text-files.ts";
import type { ExportFile } from "./file.ts";
import { jsonFile } from "./file.ts";
import { FLOAT_BYTES } from "../floats.ts";
import { elementCount, floatType } from "./model.ts";
import { textFiles, weightsFile } from "./safetensors.ts";

const CONFIG_FILE = "adapter_config.json";
const WEIGHTS_FILE = "adapter_model.safetensors";
const TENSOR_NAME =
  /^base_model\.model\.model\.layers\.\d+\.(?:self_attn|mlp)\.(?<module>\w+)\.lora_(?<part>[AB])\.weight$/;

const rank = v.pipe(v.number(), v.integer(), v.minValue(1));
const configSchema = v.object({
  peft_type: v.literal("LORA"),
  base_model_name_or_path: v.string(),
  r: rank,
  lora_alpha: v.number(),
  target_modules: v.pipe(v.array(v.string()), v.minLength(1)),
});

/**
 * The adapter of a LoRA run's checkpoint in PEFT's layout, without the optimizer's state and the base model's files.
 * @throws R1Error E_FILE_MISSING where the folder holds no adapter, E_FORMAT for a configuration or tensors that are
 * not an adapter's, and what `openCheckpoint` throws
 */
export async function peftFiles(folder: ModelFolder, signal?: AbortSignal): Promise<ExportFile[]> {
  const json = await readJson(folder, CONFIG_FILE, undefined, signal);
  if (json === undefined) {
    throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${CONFIG_FILE}; expected the checkpoint of a LoRA run`, {
      file: CONFIG_FILE,
    });
  }
  const parsed = v.safeParse(configSchema, json);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new R1Error("E_FORMAT", `${CONFIG_FILE}: ${v.getDotPath(issue) ?? "the configuration"}: ${issue.message}`);
  }
  const config = parsed.output;
  const checkpoint = await openCheckpoint(folder, { file: WEIGHTS_FILE, signal });
  const tensors = [...checkpoint.tensors.values()].map(({ name, shape }) => {
    checkAdapterTensor(name, shape, config);
    const dtype = floatType(checkpoint, name);
    return { name, shape, dtype, bytes: elementCount(shape) * FLOAT_BYTES[dtype] };
  });
  // As PEFT's own `save_pretrained` where the tokenizer is saved with the adapter.
  const texts = textFiles({ texts: await readTexts(folder, TOKENIZER_FILES, signal) });
  const written = {
    task_type: "CAUSAL_LM",
    lora_dropout: 0,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    ...config,
  };
  return [jsonFile(CONFIG_FILE, written), ...texts, weightsFile(WEIGHTS_FILE, checkpoint, tensors)];
}

/** A is [r, in] and B [out, r], of a module that the configuration names. */
function checkAdapterTensor(
  name: string,
  shape: readonly number[],
  { r, target_modules }: v.InferOutput<typeof configSchema>,
): void {
  const { module, part } = TENSOR_NAME.exec(name)?.groups ?? {};
  const found = part === "A" ? shape[0] : shape[1];
  if (module !== undefined && target_modules.includes(module) && shape.length === 2 && found === r) return;
  throw new R1Error(
    "E_FORMAT",
    `${WEIGHTS_FILE}: tensor ${quote(name)} [${shape.join(", ")}]; expected lora_A [${r}, in] or lora_B [out, ${r}] of ${target_modules.join(", ")}`,
    { tensor: name },
  );
}
