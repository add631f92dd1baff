import type { ErrorCode } from "../../errors.ts";
import type { Texts } from "./texts.ts";

export const ja: Texts = {
  title: "R1 Playground",
  pages: "ページ",
  pagePlayground: "プレイグラウンド",
  pageModels: "モデル",
  pageLab: "GRPO ラボ",
  pageLearn: "学ぶ",
  pageLoading: "ページを開いています…",
  language: "言語",
  theme: "配色",
  themeAuto: "自動",
  themeLight: "ライト",
  themeDark: "ダーク",
  device: "デバイス",
  deviceOpening: "グラフィックスデバイスを探しています…",
  deviceSoftware: "ソフトウェア描画のため低速",
  panel: "モデルと設定",
  modelHeading: "モデル",
  modelNone: "モデルは読み込まれていません",
  modelLoad: "読み込む",
  loadSmaller: "小さくして読み込む：",
  modelReload: "もう一度読み込む",
  modelLoaded: "読み込み済み",
  modelLost: "の読み込みは解除されました。会話は残っています。",
  modelDownload: "ダウンロード量：",
  modelMore: "DeepSeek-R1 の蒸留モデルなど、ほかのモデル…",
  modelFolder: "フォルダーを開く…",
  modelFile: "GGUF ファイルを開く…",
  modelDrop:
    "モデルのフォルダー（config.json、tokenizer.json と、safetensors または ONNX のグラフとそのデータ）や GGUF ファイルをページのどこかにドロップしても開けます。ファイルが送信されることはありません。",
  loadingDevice: "グラフィックスデバイスを準備しています…",
  loadingFiles: "ファイルを確認しています…",
  loadingWeights: "重みを読み込んでいます…",
  loadingKernels: "カーネルをコンパイルしています…",
  recovering:
    "グラフィックスデバイスかエンジンが失われました。書かれた内容は残っており、モデルを読み込み直しています。",
  cancel: "中止",
  parameters: "パラメーター",
  context: "コンテキスト",
  layers: "層",
  settings: "設定",
  settingTemperature: "温度",
  settingTemperatureHelp:
    "トークンをどれだけ自由に選ぶかです。0 では常に最も確率の高いものを選びます。R1 の推奨値は 0.6 です。",
  settingTopP: "Top-p",
  settingTopPHelp: "確率の高い順に、合計がこの値に達するまでのトークンだけを使います。R1 の推奨値は 0.95 です。",
  settingMaxNewTokens: "返答の最大長",
  settingMaxNewTokensHelp: "思考と回答を合わせたトークン数です。",
  settingThinkMax: "思考の上限",
  settingThinkMaxHelp: "このトークン数に達すると思考を強制的に終えます。0 で無制限です。",
  settingThinkMin: "思考の下限",
  settingThinkMinHelp: "これより早く終わろうとした思考は「Wait」で続けさせます。0 で下限なしです。",
  settingSamples: "サンプル数",
  settingSamplesHelp: "同じ質問への返答を最大 64 個まとめて生成し、多数決を取ります。",
  settingSeed: "シード",
  settingSeedHelp: "同じデバイスで同じシードなら、同じ返答になります。",
  conversation: "会話",
  emptyHeading: "質問して、考える様子を見てみましょう",
  emptyThoughtHint: "まず、思考がここに 1 トークンずつ流れます。",
  emptyAnswerHint: "考え終わると思考は 1 行に閉じ、回答が続きます。",
  emptyPrivacy: "すべてこの端末で動きます。質問もファイルも外部に送信されません。",
  question: "質問",
  questionPlaceholder: "質問を書いてください…",
  sendHint: "Enter で送信、Shift + Enter で改行",
  ask: "質問する",
  stop: "停止",
  clear: "新しい会話",
  you: "あなた",
  waiting: "質問を読んでいます… ",
  thought: "思考",
  thinking: "思考中…",
  thoughtFor: "思考時間",
  tokens: "トークン",
  seconds: "秒",
  answer: "回答",
  emptyAnswer: "思考の途中で返答が終わりました：",
  sample: "サンプル",
  finishedStop: "完了",
  finishedLength: "最大長で打ち切り",
  finishedAborted: "停止しました（ここまでの内容は残ります）",
  promptTokens: "プロンプト",
  cachedTokens: "再利用",
  perSecond: "トークン/秒",
  firstToken: "最初のトークンまで",
  statusThinking: "思考中です",
  statusStillThinking: "まだ思考中です",
  statusAnswering: "回答中です",
  statusStillAnswering: "まだ回答中です",
  statusDone: "回答ができました",
  statusStopped: "停止しました",
  noTemplate: "このモデルにはチャットテンプレートがないため、言葉で質問できません。",
  errorHeading: "うまくいきませんでした",
  dismiss: "閉じる",
  details: "詳細",
};

const reload = "モデルをもう一度読み込むと続けられます。会話は残っています。";
const folder = "必要なファイルがそろっているか確かめて、フォルダーを選び直してください。";
const report = "下の詳細を添えてご報告ください。";
const again = "もう一度ダウンロードしてください。";

export const jaErrors: Record<ErrorCode, string> = {
  E_FILE_MISSING: `モデルのファイルが足りません。${folder}`,
  E_FILE_TRUNCATED: `モデルのファイルが途中で切れています。${again}`,
  E_FILE_READ: "モデルのファイルを読めません。ファイルの有無とアクセス権を確かめて、もう一度お試しください。",
  E_HTTP: "ファイルをダウンロードできませんでした。接続を確かめて、もう一度お試しください。",
  E_JSON: `モデルのファイルが正しい JSON ではありません。${again}`,
  E_HEADER_TOO_SMALL: "重みのファイルが safetensors 形式ではありません。別のファイルを選んでください。",
  E_HEADER_TOO_LARGE:
    "重みのファイルのヘッダーが異常に大きいと書かれています。信頼できる入手先から取り直してください。",
  E_HEADER_INVALID: `重みのファイルのヘッダーが壊れています。${again}`,
  E_TENSOR_INFO: `重みのファイルのテンソル情報が誤っています。${again}`,
  E_TENSOR_OFFSETS: `重みのファイルのテンソルに重なりか隙間があります。${again}`,
  E_TENSOR_MISSING: `モデルの重みテンソルが足りません。${folder}`,
  E_TENSOR_SHAPE: "重みテンソルの形が config.json と合いません。同じモデルのファイルをお使いください。",
  E_DTYPE: "この数値形式の重みには対応していません。F32、F16、BF16 をお使いください。",
  E_NOT_FINITE:
    "重みテンソルに NaN または無限大が含まれています。ファイルが壊れているか、学習が発散しています。ダウンロードし直すか、別のチェックポイントを選んでください。",
  E_ADAPTER:
    "この LoRA アダプターは未対応の設定を使っています。詳細にある項目を使わずに保存し直すか、PEFT で統合してください。",
  E_LOGITS:
    "モデルの計算がオーバーフローし、トークンを選べません。重みを f32 で読み込むか、別のチェックポイントをお使いください。",
  E_FILES_GONE:
    "この実行の開始モデルは、以前の訪問で選んだファイルです。ページはそのファイルを保持できません。同じファイルをプレイグラウンドで読み込み直してから、実行を再開してください。",
  E_QUANTIZED:
    "このチェックポイントの重みは量子化されていて、小さな更新を反映できません。LoRA アダプターを学習してください。",
  E_QUANTIZATION: "この量子化には対応していません。f32、f16、bf16、q8、q4 から選んでください。",
  E_FORMAT:
    "開けるモデルファイルではありません。safetensors か ONNX グラフを含む Hugging Face 形式のフォルダー、または GGUF ファイルを選んでください。",
  E_CHECKPOINT:
    "この実行の保存済みチェックポイントが壊れています（書き込んだときの内容と違います）。指標は無事です。1 つ前のチェックポイントを使うか、最初からやり直してください。",
  E_HUB_NAME: "リポジトリの名前ではありません。Hub のページにあるとおり owner/name の形で入力してください。",
  E_HUB_MISSING: "リポジトリ、リビジョン、またはファイルが Hub にないか、非公開です。名前を確かめてください。",
  E_HUB_ACCESS:
    "Hub の許可が必要です。Hub のモデルのページで利用条件に同意してから、アクセストークンを入力してください。",
  E_HUB_FILES:
    "開ける形式のモデルがリポジトリにありません。safetensors を含むものを選ぶか、GGUF か ONNX のファイルを 1 つ指定してください。",
  E_HUB_MOVED:
    "ダウンロード中にリポジトリが更新されました。もう一度ダウンロードしてください。変わっていないファイルはそのまま使います。",
  E_HUB_OTHER:
    "Hub のファイルは、このページの一覧が知っているものと違います。公開者を信頼できるなら「ほかのリポジトリ」から名前で指定してください。",
  E_HTTP_PAGE:
    "ファイルの代わりにウェブページが返されました。ネットワークのログインが必要なら済ませて、もう一度お試しください。",
  E_HTTP_RANGE: "求めた範囲のデータをサーバーが送りません。時間をおいてお試しください。届いた分は残っています。",
  E_HTTP_LENGTH: "サーバーのファイルの長さが、リポジトリの一覧と違います。もう一度ダウンロードしてください。",
  E_STALLED: "通信が何度も止まりました。届いた分は残っているので、接続が良くなったら再開してください。",
  E_HASH:
    "ファイルが 2 回とも壊れて届いたため、削除しました。ほかのファイルは残っています。別のネットワークでお試しください。",
  E_QUOTA: "モデルを保存する空きがありません。使わないモデルを削除するか、小さいモデルを選んでください。",
  E_STORAGE: "ブラウザーのストレージに書き込めません。ディスクの空きを増やし、ページを再読み込みして再開してください。",
  E_ARCHITECTURE:
    "このアーキテクチャには対応していません。R1 蒸留モデルなど、Qwen2 か Llama のモデルを選んでください。",
  E_CONFIG: "config.json が壊れているか、未対応の設定を含んでいます。別のモデルを選んでください。",
  E_TOKENIZER_MISSING: "tokenizer.json がないため、言葉で質問できません。フォルダーに追加してください。",
  E_TOKENIZER: "モデルのトークナイザーを使えません。tokenizer.json を取り直してください。",
  E_TEMPLATE_MISSING:
    "チャットテンプレートがありません。chat_template を含む tokenizer_config.json を追加してください。",
  E_TEMPLATE: "チャットテンプレートの処理に失敗しました。元のモデルのテンプレートをお使いください。",
  E_MESSAGES: "この形の会話は送れません。新しい会話を始めてください。",
  E_PROMPT_EMPTY: "質問が空です。まず質問を書いてください。",
  E_DATASET: "このデータには、学習に使える行がありません。除いた理由は詳細をご覧ください。",
  E_NON_FINITE:
    "更新が続けて有限の値にならなかったため、学習を終えました。学習率を下げてお試しください。最後のチェックポイントは残っています。",
  E_PROMPT_TOO_LONG: "会話がコンテキストより長くなりました。新しい会話を始めるか、質問を短くしてください。",
  E_TOKEN_RANGE: "トークナイザーと重みの組み合わせが違います。同じモデルのファイルをお使いください。",
  E_KV_FULL: "キャッシュがいっぱいです。サンプル数か返答の長さを減らしてください。",
  E_OPTION: "設定の値が範囲外です。直してからもう一度質問してください。",
  E_NO_WEBGPU:
    "このページでは WebGPU を使えません。新しい Chrome、Edge、Safari、Firefox で、https のアドレスから開いてください。",
  E_NO_ADAPTER:
    "使えるグラフィックスデバイスがありません。ブラウザーのハードウェアアクセラレーションを有効にして再起動してください。",
  E_DEVICE_LOST: `グラフィックスデバイスが失われました。${reload}`,
  E_OUT_OF_MEMORY:
    "グラフィックスメモリーが足りません。他のタブを閉じるか、小さいモデルや少ないサンプル数でお試しください。",
  E_GPU_VALIDATION: `グラフィックスデバイスが命令を受け付けませんでした。${report}`,
  E_GPU_INTERNAL: `グラフィックスデバイスでエラーが起きました。${reload}`,
  E_SELF_TEST:
    "このグラフィックスドライバーは計算結果が正しくありません。ドライバーを更新するか、別のブラウザーをお使いください。",
  E_SHADER: `このデバイスではカーネルをコンパイルできません。${report}`,
  E_FEATURE:
    "このファイルの形式に必要な機能（多くは半精度）が、このグラフィックスデバイスにありません。q4 形式か GGUF ファイルを選んでください。",
  E_TOO_LARGE:
    "このモデルには、この端末で使えるより多くのメモリーが必要です。小さい形式か短いコンテキストで読み込んでください。",
  E_LIMIT:
    "このデバイスの上限を超えています。小さいモデルか、短いコンテキスト、または少ないサンプル数でお試しください。",
  E_NO_MODEL: "モデルが読み込まれていません。先に読み込んでください。",
  E_BUSY: "エンジンは処理中です。読み込みや返答が終わるのを待つか、停止してください。書いた内容は残っています。",
  E_ABORTED: "停止しました。ここまでの内容は残っています。",
  E_WORKER: `エンジンが止まりました。${reload}`,
  E_INTERNAL: `予期しないエラーが起きました。${report}`,
};
