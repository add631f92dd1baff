import type { Language } from "../i18n/texts.ts";
import type { FieldName, GroupName, RewardName } from "./fields.ts";

interface FieldText {
  readonly label: string;
  /** One sentence. */
  readonly help: string;
}

type Named<Name extends string> = Readonly<Record<Language, Readonly<Record<Name, FieldText>>>>;

export const GROUP_TEXTS: Readonly<Record<Language, Readonly<Record<GroupName, string>>>> = {
  en: {
    sampling: "Sampling a group",
    objective: "The objective",
    reference: "KL to the reference",
    optimizer: "Optimizer",
    memory: "Memory",
    schedule: "Length of the run",
  },
  ja: {
    sampling: "グループのサンプリング",
    objective: "目的関数",
    reference: "参照方策との KL",
    optimizer: "オプティマイザー",
    memory: "メモリー",
    schedule: "実行の長さ",
  },
};

export const FIELD_TEXTS: Named<FieldName> = {
  en: {
    max_steps: { label: "Steps", help: "Updates of the whole run." },
    per_step_prompts: { label: "Prompts per step", help: "Groups of one step; each prompt is one group." },
    num_generations: { label: "Group size", help: "Completions of each prompt, compared with each other." },
    max_completion_length: { label: "Longest completion", help: "Tokens after which a completion is cut off." },
    temperature: { label: "Temperature", help: "How freely tokens are chosen while sampling; R1 trains at 1." },
    top_p: { label: "Top-p", help: "Only the most probable tokens that reach this probability together; 1 is off." },
    top_k: { label: "Top-k", help: "Only this many of the most probable tokens; 0 is off." },
    loss_type: { label: "Loss", help: "How tokens are averaged: per completion, per batch, or by a constant." },
    scale_rewards: { label: "Scale rewards", help: "By which deviation advantages are divided; Dr. GRPO takes none." },
    epsilon: { label: "Clip below", help: "A ratio below 1 − ε earns a bad completion no further push." },
    epsilon_high: { label: "Clip above", help: "A ratio above 1 + ε_high earns a good completion no further push." },
    delta: { label: "Cap", help: "An upper bound of the ratio where the advantage is negative; empty for none." },
    num_iterations: { label: "Updates per batch", help: "How often each batch of completions is learned from." },
    importance_sampling_level: {
      label: "Ratio of",
      help: "Whether each token has its ratio, or a completion has one (GSPO).",
    },
    mask_truncated_completions: {
      label: "Ignore cut-off completions",
      help: "Completions that reach the longest length teach nothing (DAPO).",
    },
    soft_punish_cache: {
      label: "Soft overlong range",
      help: "Last tokens before the limit over which the soft overlong reward falls to −1; empty for none.",
    },
    entropy_coef: { label: "Entropy bonus", help: "Weight of the entropy in the objective; keeps exploration alive." },
    top_entropy_quantile: {
      label: "Most uncertain tokens",
      help: "Share of tokens, by entropy, that are learned from; 1 is all.",
    },
    beta: { label: "KL weight", help: "How strongly the policy is held to the reference; 0 needs no reference." },
    kl_estimator: { label: "KL estimator", help: "How KL is estimated from samples; k3 is GRPO's." },
    sync_ref_model: {
      label: "Renew the reference",
      help: "The policy becomes the reference now and then, as R1 does every 400 steps.",
    },
    ref_model_sync_steps: { label: "Renew every", help: "Steps between two renewals of the reference." },
    learning_rate: { label: "Learning rate", help: "Size of an update; small models take about 100 times R1's 3e-6." },
    lr_scheduler_type: { label: "Schedule", help: "How the learning rate changes over the run." },
    warmup_steps: {
      label: "Warm-up",
      help: "Steps over which the rate rises from 0, where the schedule has a warm-up.",
    },
    adam_beta1: { label: "First moment", help: "How long AdamW remembers the gradient's mean." },
    adam_beta2: { label: "Second moment", help: "How long AdamW remembers the gradient's size." },
    weight_decay: { label: "Weight decay", help: "How strongly weights are pulled towards 0." },
    max_grad_norm: { label: "Gradient clipping", help: "Longer gradients are shortened to this norm; 0 is off." },
    eval_every: { label: "Evaluate every", help: "Steps between two tests on held-out prompts; 0 for none." },
    eval_prompts: { label: "Held-out prompts", help: "Prompts of each test, none of which is trained on." },
    save_every: { label: "Checkpoint every", help: "Steps between two checkpoints, from which a run can go on." },
    task_instructions: {
      label: "Explain the task",
      help: "Each prompt says what is asked and how to answer, which a model that was not made for the task needs.",
    },
    max_tokens_per_pack: {
      label: "Tokens at a time",
      help: "Tokens that go forward and back together; fewer need less memory, and more passes.",
    },
    max_prompt_length: {
      label: "Longest prompt",
      help: "Tokens of a prompt with its template, for which the cache is sized; a longer one stops the run.",
    },
    gradient_checkpointing: {
      label: "Recompute activations",
      help: "Layers are run again in the backward pass instead of being kept: less memory, about a quarter more work. Off, it is done where they would take over 1 GiB.",
    },
    seed: { label: "Seed", help: "The same seed gives the same run on the same device." },
  },
  ja: {
    max_steps: { label: "ステップ数", help: "実行全体での更新回数です。" },
    per_step_prompts: {
      label: "ステップあたりのプロンプト数",
      help: "1 ステップのグループ数です。1 つのプロンプトが 1 つのグループになります。",
    },
    num_generations: { label: "グループの大きさ", help: "各プロンプトに対する補完の数で、互いに比べられます。" },
    max_completion_length: { label: "補完の最大長", help: "このトークン数で補完を打ち切ります。" },
    temperature: { label: "温度", help: "サンプリングでトークンをどれだけ自由に選ぶかです。R1 の学習では 1 です。" },
    top_p: {
      label: "Top-p",
      help: "確率の高い順に、合計がこの値に達するまでのトークンだけを使います。1 で無効です。",
    },
    top_k: { label: "Top-k", help: "確率の高い順に、この数のトークンだけを使います。0 で無効です。" },
    loss_type: { label: "損失の種類", help: "トークンの平均を補完ごと、バッチ全体、定数のどれで取るかです。" },
    scale_rewards: {
      label: "報酬のスケール",
      help: "アドバンテージをどの標準偏差で割るかです。Dr. GRPO では割りません。",
    },
    epsilon: { label: "下側クリップ", help: "比が 1 − ε を下回ると、悪い補完をそれ以上抑えません。" },
    epsilon_high: { label: "上側クリップ", help: "比が 1 + ε_high を上回ると、良い補完をそれ以上伸ばしません。" },
    delta: { label: "上限", help: "アドバンテージが負のときの比の上限です。空欄で無効です。" },
    num_iterations: { label: "バッチあたりの更新回数", help: "同じ補完のバッチから何回学ぶかです。" },
    importance_sampling_level: {
      label: "比の単位",
      help: "比をトークンごとに取るか、補完全体で 1 つ取るか（GSPO）です。",
    },
    mask_truncated_completions: {
      label: "打ち切られた補完を無視",
      help: "最大長に達した補完からは学びません（DAPO）。",
    },
    soft_punish_cache: {
      label: "長さ超過の緩衝域",
      help: "上限の手前で soft overlong 報酬が −1 まで下がるトークン数です。空欄で無効です。",
    },
    entropy_coef: { label: "エントロピー項", help: "目的関数でのエントロピーの重みで、探索を保ちます。" },
    top_entropy_quantile: {
      label: "不確かなトークンの割合",
      help: "エントロピーの高い順に、学習に使うトークンの割合です。1 ですべて使います。",
    },
    beta: { label: "KL の重み", help: "方策を参照方策にどれだけ引き留めるかです。0 なら参照方策は使いません。" },
    kl_estimator: {
      label: "KL の推定量",
      help: "KL ダイバージェンスをサンプルから推定する式です。GRPO では k3 を使います。",
    },
    sync_ref_model: {
      label: "参照方策の更新",
      help: "一定の間隔で現在の方策を参照方策にします。R1 では 400 ステップごとです。",
    },
    ref_model_sync_steps: { label: "更新の間隔", help: "参照方策を更新する間隔のステップ数です。" },
    learning_rate: {
      label: "学習率",
      help: "1 回の更新の大きさです。小さなモデルでは R1 の 3e-6 の 100 倍ほどにします。",
    },
    lr_scheduler_type: { label: "スケジュール", help: "実行中の学習率の変え方です。" },
    warmup_steps: {
      label: "ウォームアップ",
      help: "学習率を 0 から上げていくステップ数です（ウォームアップのあるスケジュールのみ）。",
    },
    adam_beta1: { label: "1 次モーメント", help: "AdamW が勾配の平均を覚えておく長さです。" },
    adam_beta2: { label: "2 次モーメント", help: "AdamW が勾配の大きさを覚えておく長さです。" },
    weight_decay: { label: "重み減衰", help: "重みを 0 に引き寄せる強さです。" },
    max_grad_norm: { label: "勾配クリッピング", help: "勾配のノルムがこれを超えると縮めます。0 で無効です。" },
    eval_every: { label: "評価の間隔", help: "未学習の問題で評価する間隔のステップ数です。0 で評価しません。" },
    eval_prompts: { label: "評価の問題数", help: "評価ごとの問題数です。学習には使いません。" },
    save_every: { label: "チェックポイントの間隔", help: "再開に使うチェックポイントを作る間隔のステップ数です。" },
    task_instructions: {
      label: "課題の説明を付ける",
      help: "何を求めるか、どう答えるかを各プロンプトに書きます。この課題向けに作られていないモデルに必要です。",
    },
    max_tokens_per_pack: {
      label: "一度に処理するトークン数",
      help: "順伝播と逆伝播をまとめて行うトークン数です。少ないほどメモリーは減り、回数は増えます。",
    },
    max_prompt_length: {
      label: "プロンプトの最大長",
      help: "テンプレートを含むプロンプトのトークン数の上限で、キャッシュの大きさを決めます。超えると実行が止まります。",
    },
    gradient_checkpointing: {
      label: "活性値を再計算",
      help: "逆伝播で活性値を保持せず、層を計算し直します。メモリーは減り、計算は 4 分の 1 ほど増えます。オフでも、1 GiB を超える場合は再計算します。",
    },
    seed: { label: "シード", help: "同じデバイスで同じシードなら、同じ実行になります。" },
  },
};

export const REWARD_TEXTS: Named<RewardName> = {
  en: {
    accuracy: { label: "Accuracy", help: "1 for the right answer, else 0." },
    format: { label: "Format", help: "1 for exactly one thought and one tagged answer, else 0." },
    language_consistency: {
      label: "Language consistency",
      help: "Share of the thought that is in the question's language, where the task names one.",
    },
    soft_overlong: { label: "Soft overlong", help: "0, falling to −1 just before the length limit." },
    cosine: { label: "Cosine", help: "Right and short earns most, wrong and short least." },
    length: { label: "Length", help: "½ for the shortest of the group, −½ for the longest; wrong ones at most 0." },
    repetition: { label: "Repetition", help: "Down to −1 with the share of repeated runs of three tokens." },
    reasoning_accuracy: { label: "Reasoning accuracy", help: "1 for the right answer after the end of the thought." },
    think_format: { label: "Think format", help: "1 for one thought at the start, else 0." },
    tag_count: { label: "Tag count", help: "A quarter for each of the four tags that is there exactly once." },
  },
  ja: {
    accuracy: { label: "正解", help: "答えが正しければ 1、そうでなければ 0 です。" },
    format: { label: "形式", help: "思考とタグ付きの答えが 1 つずつなら 1、そうでなければ 0 です。" },
    language_consistency: {
      label: "言語の一貫性",
      help: "思考のうち問題と同じ言語で書かれた割合です（言語の決まったタスクのみ）。",
    },
    soft_overlong: { label: "長さ超過", help: "0 から、長さの上限の手前で −1 まで下がります。" },
    cosine: { label: "コサイン", help: "正解は短いほど高く、不正解は短いほど低くなります。" },
    length: { label: "長さ", help: "グループで最短なら ½、最長なら −½ です。不正解は 0 を超えません。" },
    repetition: { label: "繰り返し", help: "同じ 3 トークンの並びが繰り返される割合に応じ、−1 まで下がります。" },
    reasoning_accuracy: { label: "思考後の正解", help: "思考の後の答えが正しければ 1 です。" },
    think_format: { label: "思考の形式", help: "先頭に思考が 1 つあれば 1、そうでなければ 0 です。" },
    tag_count: { label: "タグの数", help: "4 つのタグのうち、ちょうど 1 回現れたもの 1 つにつき ¼ です。" },
  },
};
