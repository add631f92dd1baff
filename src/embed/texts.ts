import { defineTexts } from "../app/i18n/define-texts.ts";

export const embedTexts = defineTexts({
  en: {
    open: "Open in R1 Playground",
    start: "Start the model",
    startCompare: "Start two samples",
    cost: "Runs on this device's graphics processor. Nothing is uploaded or stored.",
    download: "Download",
    asked: "The page around this frame asks to start. It does when you press the button.",
    noWorker:
      "The page around this frame does not let it run a model. Open it in a tab of its own; here is what was recorded.",
    noWebGpu: "This browser has no WebGPU. Here is what was recorded where it has.",
    recorded: "Recording",
    viewGrpo: "A GRPO run",
    recordedRun: "Nothing is computed here: these are the steps of a run that has been.",
    noRun: "There is no recorded run to show here.",
    playRun: "Play the run",
    steps: "Steps shown",
    opening: "Opening…",
    closed: "This frame was closed by the page around it. Reload the page to open it again.",
  },
  ja: {
    open: "R1 Playground で開く",
    start: "モデルを開始",
    startCompare: "2 つのサンプルを開始",
    cost: "この端末の GPU で実行します。何も送信・保存しません。",
    download: "ダウンロード",
    asked: "このページが開始を求めています。ボタンを押すと開始します。",
    noWorker:
      "このページの設定では、枠内でモデルを実行できません。新しいタブで開いてください。ここでは記録を再生します。",
    noWebGpu: "このブラウザーでは WebGPU を使えません。使える環境での記録を再生します。",
    recorded: "記録",
    viewGrpo: "GRPO の学習",
    recordedRun: "ここでは何も計算していません。過去に行った学習のステップを再生しています。",
    noRun: "表示できる学習の記録がありません。",
    playRun: "学習を再生",
    steps: "表示中のステップ",
    opening: "開いています…",
    closed: "この枠はページによって閉じられました。もう一度開くには、ページを再読み込みしてください。",
  },
});
