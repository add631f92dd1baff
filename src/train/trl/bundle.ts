import { textFile } from "../../checkpoint/export/file.ts";
import type { ExportFile } from "../../checkpoint/export/file.ts";
import type { GrpoConfig } from "../config/grpo-config.ts";
import { rewardContext } from "../rewards/reward.ts";
import { pythonRewards } from "../rewards/python/python.ts";
import { parseRewards } from "../rewards/rewards.ts";
import type { ProblemSource } from "../run/problems.ts";
import { datasetFiles } from "./dataset.ts";
import { grpoYaml } from "./grpo-yaml.ts";
import { openrlhfScript, verlScript } from "./launch.ts";
import { trlReadme } from "./readme.ts";
import { OPENRLHF_DATA_PY, OPENRLHF_REWARD_PY, TRAIN_PY, VERL_PARQUET_PY, VERL_REWARD_PY } from "./scripts.ts";

export interface TrlRun {
  readonly config: GrpoConfig;
  readonly problems: ProblemSource;
  /** Name of the model. */
  readonly name: string;
  /** What the chat template has already written of every completion; undefined for a model without a template. */
  readonly opening: string | undefined;
}

/**
 * A run for those who outgrow the page: TRL's configuration and script, datasets, the rewards in Python, and launch files
 * for verl and OpenRLHF. The model itself goes beside them, under `model/`.
 * @throws R1Error E_OPTION for a reward that is in no table
 */
export function trlFiles({ config, problems, name, opening }: TrlRun): readonly ExportFile[] {
  const { train, heldout } = datasetFiles(config, problems, opening !== undefined);
  const weights = parseRewards(config.reward_funcs).map(
    (reward, i) => [reward.name, config.reward_weights[i] ?? 1] as const,
  );
  const rewards = pythonRewards({
    context: rewardContext(config),
    numGenerations: config.num_generations,
    task: config.task,
    opening: opening ?? "",
    weights,
  });
  const texts = {
    "README.md": trlReadme(config, name),
    "grpo_config.yaml": grpoYaml(config),
    "train.jsonl": train,
    "heldout.jsonl": heldout,
    "rewards.py": rewards,
    "train.py": TRAIN_PY,
    "verl/run.sh": verlScript(config),
    "verl/reward.py": VERL_REWARD_PY,
    "verl/to_parquet.py": VERL_PARQUET_PY,
    "openrlhf/run.sh": openrlhfScript(config),
    "openrlhf/reward.py": OPENRLHF_REWARD_PY,
    "openrlhf/to_labels.py": OPENRLHF_DATA_PY,
  };
  return Object.entries(texts).map(([path, text]) => textFile(path, text));
}
