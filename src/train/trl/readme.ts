import type { GrpoConfig } from "../config/grpo-config.ts";

/** What the trainers cannot take over as it is. */
function differences(config: GrpoConfig): readonly string[] {
  const found = [
    "Random numbers differ, so completions and curves do, too; the prompts and their order are the page's.",
    "The rewards are the page's, parameter for parameter. Japanese words count by character in `language_consistency`, and" +
      " answers that bring no checker of their own are graded by Math-Verify where it is installed.",
    "verl and OpenRLHF score one completion at a time: `length`, which compares those of a prompt, gives 0 there.",
  ];
  if (config.kl_estimator !== "k3" && config.beta > 0)
    found.push(
      `TRL estimates the KL divergence with k3; this run's estimator, ${config.kl_estimator}, has no option there.`,
    );
  return found;
}

export function trlReadme(config: GrpoConfig, name: string): string {
  const source = config.task === null ? `the dataset ${config.dataset}` : `the task ${config.task}`;
  return `# GRPO on ${name}, from the page to a cluster

A run of R1 Playground on ${source}, for TRL, verl and OpenRLHF.

| file | what it is |
|---|---|
| \`model/\` | the model in Hugging Face's layout |
| \`train.jsonl\`, \`heldout.jsonl\` | prompts, and the columns that rewards read |
| \`rewards.py\` | the reward functions |
| \`grpo_config.yaml\`, \`train.py\` | TRL |
| \`verl/\`, \`openrlhf/\` | launch files of the two trainers on Ray |

## TRL

\`\`\`
pip install trl peft datasets
trl grpo --config grpo_config.yaml
\`\`\`

or, with the held-out prompts scored before and after: \`python train.py --config grpo_config.yaml\`. On several GPUs
\`accelerate launch train.py --config grpo_config.yaml\`; divide \`gradient_accumulation_steps\` by their number to keep
the step at ${config.per_step_prompts} prompts of ${config.num_generations} completions. With vLLM: \`--use_vllm true --vllm_mode colocate\`.

## verl, OpenRLHF

\`\`\`
GPUS=8 bash verl/run.sh
GPUS=8 ENGINES=8 bash openrlhf/run.sh
\`\`\`

Each writes its datasets beside itself first. Further options may follow the command.

## What differs from the page

${differences(config)
  .map((line) => `- ${line}`)
  .join("\n")}
`;
}
