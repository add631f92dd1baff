import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** What each stage is, for its card. */
const ABOUT = {
  "nano-base":
    "Pretrained from fresh weights on lines of arithmetic such as `9 * 3 = 27 - 4 = 23 ;`. It knows the facts; it has never seen a question, a thought or an answer tag.",
  "nano-cold":
    "nano-base after the cold start: supervised fine-tuning on demonstrations that try expressions at random, write both results out, and often give up too early.",
  "nano-r1":
    "nano-cold after GRPO with two rules as rewards: is the answer right (1.0), and is it in `<think>…</think><answer>…</answer>` form (0.5). No reward looks at the thought or its length.",
  "nano-distill":
    "A smaller student, trained from fresh weights on nano-r1's right answers to training problems (rejection sampling), with no reinforcement learning of its own.",
};

/** What the page's list of models says of each, and how to begin; in the order of the list. */
export const LISTED = {
  "nano-r1": {
    en: "Trained by this project with GRPO: it tries, checks, and tries again until the numbers come out.",
    ja: "このプロジェクトが GRPO で訓練したモデルです。数が合うまで試し、確かめ、やり直します。",
  },
  "nano-cold": {
    en: "The same model before GRPO, after its cold start: right form, but it gives up too early.",
    ja: "GRPO の前、コールドスタート直後の同じモデルです。形式は正しいのですが、すぐにあきらめます。",
  },
  "nano-base": {
    en: "Pretrained on arithmetic alone: it knows the sums, and nothing of questions, thoughts or answers.",
    ja: "計算だけで事前学習したモデルです。計算は知っていますが、質問も思考も答え方も知りません。",
  },
  "nano-distill": {
    en: "A smaller student, taught on nano-r1's right answers.",
    ja: "nano-r1 の正解だけを手本にした、より小さな生徒モデルです。",
  },
};

/** The models know one language, which is neither of the page's. */
const EXAMPLES = ["make 30 from 6 4 6", "make 11 from 8 5 2", "make 30 from 6 4 6", "make 17 from 5 2 7"].map(
  (text) => ({
    en: text,
    ja: text,
  }),
);

/** Writes the models' entries into the page's list, before what else is in it. */
export function listModels(file, bytesOf) {
  const others = JSON.parse(readFileSync(file, "utf8")).filter(({ folder }) => !(folder in LISTED));
  const own = Object.entries(LISTED).flatMap(([name, note]) => {
    const bytes = bytesOf(name);
    const settings = { temperature: 1, topP: 1, maxNewTokens: 160 };
    return bytes === undefined ? [] : [{ folder: name, name, bytes, note, examples: EXAMPLES, settings }];
  });
  writeFileSync(file, `${JSON.stringify([...own, ...others], undefined, 2)}\n`);
}

const percent = (share) => `${(100 * share).toFixed(1)} %`;

function lines(file) {
  if (!existsSync(file)) return [];
  const text = readFileSync(file, "utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

/** The first and the last evaluation of a run, as rows of a table. */
function curve(metrics) {
  const evaluations = metrics.filter((line) => line.eval_accuracy !== undefined);
  if (evaluations.length === 0) return "";
  const rows = evaluations.map(
    (line) =>
      `| ${line.step} | ${percent(line.eval_accuracy)} | ${percent(line.eval_format)} | ${line.eval_mean_length.toFixed(1)} |`,
  );
  return `\n## Held-out accuracy during the run (${evaluations[0].eval_n} problems, temperature 1)\n\n| step | accuracy | format | tokens |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

const CORRECT = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
};

/** Of texts such as ` 9 * 3 = 27 - 4 = 23 ;`: how many results there are, and how many are right. */
export function arithmetic(texts) {
  const results = texts.flatMap((text) =>
    // A result is the next operation's left side, so that matches overlap.
    Array.from(
      text.matchAll(/(?=(?<![\d])(\d+) ([+*-]) (\d+) = (\d+)(?!\d))/g),
      ([, left, sign, right, result]) => CORRECT[sign](Number(left), Number(right)) === Number(result),
    ),
  );
  return { n: results.length, right: results.filter(Boolean).length };
}

/** A model card: what it is, its data, recipe, seed and figures, all from the run's own record. */
export function modelCard({ stage, run, evaluation, parameters, samples }) {
  const { name } = stage;
  const header = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  const metrics = lines(join(run, "metrics.jsonl"));
  const steps = metrics.filter((line) => line.loss !== undefined);
  const trained = steps.reduce((sum, line) => sum + (line.step_time ?? 0), 0);
  const config = JSON.parse(readFileSync(join(run, "checkpoint", "config.json"), "utf8"));
  const device = header.device.description || `${header.device.vendor} ${header.device.architecture}`;
  const sums = arithmetic(samples);
  return `---
license: mit
library_name: transformers
tags: [r1-playground, countdown, ${header.kind}]
---

# ${name}

${ABOUT[name]}

- **Shape:** ${config.architectures[0]}, width ${config.hidden_size}, ${config.num_hidden_layers} layers, ${config.num_attention_heads} heads (${config.num_key_value_heads} KV), feed-forward ${config.intermediate_size}, vocabulary ${config.vocab_size}; ${parameters.toLocaleString("en")} parameters, F32.
- **Data:** made by \`src/train/tasks/countdown.ts\` from the seed; one problem in eight is held out by a hash of the problem and never trained on.
- **Recipe:** \`recipes/${name}.json\` (${header.kind}, ${steps.length} steps, seed ${header.seed}); again with \`npm run train:models\`.
- **Trained on:** ${device}, ${Math.round(trained / 60)} min of steps.

## Countdown, three numbers, held out (${evaluation.n} problems × ${evaluation.samples} samples, temperature 1)

| accuracy | pass@${evaluation.samples} | majority of ${evaluation.samples} | format | tokens |
|---|---|---|---|---|
| ${percent(evaluation.accuracy)} | ${percent(evaluation.pass_at_k)} | ${percent(evaluation.cons_at_k)} | ${percent(evaluation.format)} | ${evaluation.mean_length.toFixed(1)} |

Of ${sums.n} results in ${samples.length} texts it wrote by itself from an empty beginning, ${sums.n === 0 ? "none" : percent(sums.right / sums.n)} were right.
${curve(metrics)}
## Use

\`\`\`
npm run -s r1 -- generate --model public/models/${name} --prompt "make 30 from 6 4 6" --temperature 1
\`\`\`

It solves this one kind of problem and nothing else; its purpose is to show in a minute what each stage of the R1 recipe does.
`;
}

/** Completions of a shipped record: every group of some steps, so that a replay has text to show at any time. */
const COMPLETIONS_EVERY = 5;

/** What the page says of the records that come with it; in the order of its list. */
const RECORDED = {
  "nano-r1-grpo": {
    en: "nano-cold becomes nano-r1: GRPO on countdown",
    ja: "nano-cold が nano-r1 になるまで：カウントダウンでの GRPO",
  },
};

/** Copies a run's record to where the page finds it, and lists it; completions are thinned out, metrics are whole. */
export function shipRecord(run, target) {
  mkdirSync(target, { recursive: true });
  const header = JSON.parse(readFileSync(join(run, "run.json"), "utf8"));
  // A path of the machine that trained is of no use elsewhere.
  header.config.model = "public/models/nano-cold";
  writeFileSync(join(target, "run.json"), `${JSON.stringify(header, undefined, 2)}\n`);
  for (const log of ["metrics.jsonl", "warnings.jsonl"]) {
    if (existsSync(join(run, log))) copyFileSync(join(run, log), join(target, log));
  }
  const kept = lines(join(run, "completions.jsonl")).filter(
    ({ step, group }) => (step === 1 || step % COMPLETIONS_EVERY === 0) && group < 4,
  );
  writeFileSync(join(target, "completions.jsonl"), kept.map((line) => `${JSON.stringify(line)}\n`).join(""));
  listRecords(dirname(target));
}

/** Writes the page's list of the records that are in a folder. */
export function listRecords(folder) {
  const entries = Object.entries(RECORDED).flatMap(([name, title]) => {
    if (!existsSync(join(folder, name, "run.json"))) return [];
    const logs = ["metrics.jsonl", "completions.jsonl", "warnings.jsonl"].filter((log) =>
      existsSync(join(folder, name, log)),
    );
    const bytes = ["run.json", ...logs].reduce((sum, file) => sum + statSync(join(folder, name, file)).size, 0);
    const steps = lines(join(folder, name, "metrics.jsonl")).filter((line) => line.loss !== undefined).length;
    return [{ name, title, steps, bytes, logs }];
  });
  writeFileSync(join(folder, "index.json"), `${JSON.stringify(entries, undefined, 2)}\n`);
}
