/** `train.py`: what `trl grpo` does, and the held-out prompts before and after. */
export const TRAIN_PY = `"""GRPO with TRL: python train.py --config grpo_config.yaml (or accelerate launch train.py …)."""

import rewards
from datasets import load_dataset
from trl import GRPOTrainer, get_peft_config
from trl.scripts.grpo import make_parser


def main():
    script_args, training_args, model_args, _ = make_parser().parse_args_and_config()
    data = load_dataset("json", data_files={"train": "train.jsonl", "test": "heldout.jsonl"})
    names = [name.rpartition(".")[2] for name in script_args.reward_funcs]
    trainer = GRPOTrainer(
        model=model_args.model_name_or_path,
        reward_funcs=[getattr(rewards, name) for name in names],
        args=training_args,
        train_dataset=data["train"],
        eval_dataset=data["test"],
        peft_config=get_peft_config(model_args),
    )
    print("before:", trainer.evaluate())
    trainer.train()
    print("after:", trainer.evaluate())
    trainer.save_model(training_args.output_dir)


if __name__ == "__main__":
    main()
`;

/** Both trainers score one completion at a time and pass its text, not its ids. */
const SINGLE_SCORE = `
import functools
import json
import sys
from pathlib import Path

BUNDLE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BUNDLE))

import rewards


@functools.cache
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(BUNDLE / "model")


def score(completion, columns):
    """The weighted sum of the run's rewards for one completion; \`length\` has no group to compare with here."""
    ids = tokenizer()(completion, add_special_tokens=False)["input_ids"]
    return rewards.total([completion], completion_ids=[ids], **{name: [value] for name, value in columns.items()})[0]
`;

export const VERL_REWARD_PY = `"""verl's reward function: custom_reward_function.path=verl/reward.py, name=compute_score."""
${SINGLE_SCORE}

def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    return score(solution_str, json.loads(ground_truth))
`;

export const VERL_PARQUET_PY = `"""Writes train.jsonl and heldout.jsonl as the parquet files that verl reads; needs pandas and pyarrow."""

import json
from pathlib import Path

import pandas

HERE = Path(__file__).resolve().parent


def row(line, index, split):
    fields = json.loads(line)
    prompt = fields.pop("prompt")
    if isinstance(prompt, str):
        prompt = [{"role": "user", "content": prompt}]
    return {
        "data_source": "r1-playground",
        "prompt": prompt,
        "ability": "math",
        "reward_model": {"style": "rule", "ground_truth": json.dumps(fields, ensure_ascii=False)},
        "extra_info": {"split": split, "index": index},
    }


for name in ("train", "heldout"):
    lines = (HERE.parent / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row(line, index, name) for index, line in enumerate(lines)]
    pandas.DataFrame(rows).to_parquet(HERE / f"{name}.parquet")
`;

export const OPENRLHF_REWARD_PY = `"""OpenRLHF's reward function: --remote_rm_url openrlhf/reward.py."""
${SINGLE_SCORE}

def reward_func(queries, prompts, labels, **kwargs):
    import torch

    scores = [score(query[len(prompt) :], json.loads(label)) for query, prompt, label in zip(queries, prompts, labels)]
    values = torch.tensor(scores, dtype=torch.float32)
    return {"rewards": values, "scores": values, "extra_logs": {"reward": values}}
`;

export const OPENRLHF_DATA_PY = `"""Writes the datasets as OpenRLHF reads them: the fields that rewards need become one JSON text, the label."""

import json
from pathlib import Path

HERE = Path(__file__).resolve().parent

for name in ("train", "heldout"):
    lines = (HERE.parent / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    with open(HERE / f"{name}.jsonl", "w", encoding="utf-8") as file:
        for line in lines:
            fields = json.loads(line)
            prompt = fields.pop("prompt")
            label = json.dumps(fields, ensure_ascii=False)
            file.write(json.dumps({"prompt": prompt, "label": label}, ensure_ascii=False) + "\\n")
`;
