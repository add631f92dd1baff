import { R1Error } from "../../errors.ts";
import { openCheckpoint } from "../checkpoint.ts";
import { FLOAT_BYTES } from "../floats.ts";
import { ADAPTER_CONFIG, ADAPTER_WEIGHTS, parseAdapterConfig } from "../peft/config.ts";
import type { AdapterConfig } from "../peft/config.ts";
import { checkPairRank, sortAdapterTensors } from "../peft/tensors.ts";
import type { SortedTensors } from "../peft/tensors.ts";
import { readJson } from "../source.ts";
import type { ModelFolder } from "../source.ts";
import { readTexts, TOKENIZER_FILES } from "../text-files.ts";
import type { ExportFile } from "./file.ts";
import { jsonFile } from "./file.ts";
import { elementCount, floatType } from "./model.ts";
import { textFiles, weightsFile } from "./safetensors.ts";

/**
 * The adapter of a LoRA run's checkpoint in PEFT's layout, without the optimizer's state and the base model's files. Its
 * configuration keeps every field.
 * @throws R1Error E_FILE_MISSING where the folder holds no adapter, E_FORMAT for a configuration or tensors that are
 * not an adapter's, E_ADAPTER for settings that are not supported, and what `openCheckpoint` throws
 */
export async function peftFiles(folder: ModelFolder, signal?: AbortSignal): Promise<ExportFile[]> {
  const json = await readJson(folder, ADAPTER_CONFIG, undefined, signal);
  if (json === undefined) {
    throw new R1Error("E_FILE_MISSING", `${folder.name}: no ${ADAPTER_CONFIG}; expected the checkpoint of a LoRA run`, {
      file: ADAPTER_CONFIG,
    });
  }
  const config = parseAdapterConfig(json);
  const checkpoint = await openCheckpoint(folder, { file: ADAPTER_WEIGHTS, signal });
  checkSorted(sortAdapterTensors(checkpoint, config), config);
  const tensors = [...checkpoint.tensors.values()].map(({ name, shape }) => {
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
    ...config.json,
  };
  return [jsonFile(ADAPTER_CONFIG, written), ...texts, weightsFile(ADAPTER_WEIGHTS, checkpoint, tensors)];
}

/** What can be known without the model: that there are pairs, of the configuration's ranks, alike in all layers that are there. */
function checkSorted({ pairs }: SortedTensors, config: AdapterConfig): void {
  for (const [module, pair] of pairs) if (!pair.isEmbedding) checkPairRank(pair, config.rankOf(module));
  const layers = [...pairs.keys()].flatMap((module) => /^model\.layers\.(\d+)\./.exec(module)?.[1] ?? []).map(Number);
  const [ends, last] = [new Set<string>(), Math.max(-1, ...layers)];
  for (const module of pairs.keys()) ends.add(module.replace(/^model\.layers\.\d+\./, ""));
  for (let layer = 0; layer <= last; layer++) {
    for (const end of ends) {
      const module = `model.layers.${layer}.${end}`;
      if (pairs.has(module) || pairs.has(end) || !config.adapts(module)) continue;
      throw new R1Error("E_FORMAT", `${ADAPTER_WEIGHTS}: tensor base_model.model.${module}.lora_A.weight is missing`, {
        tensor: `base_model.model.${module}.lora_A.weight`,
      });
    }
  }
  if (pairs.size === 0) {
    throw new R1Error("E_FORMAT", `${ADAPTER_WEIGHTS}: no lora_A and lora_B; expected those of ${ADAPTER_CONFIG}`, {});
  }
}
