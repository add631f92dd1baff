import { defineTexts } from "../i18n/define-texts.ts";

export const traceTexts = defineTexts({
  en: {
    recorded: "Recorded",
    recordedBy: "Nothing is computed here: this is what the model wrote when it was recorded.",
    withoutGpu: "This browser cannot run the model. Here is what it looks like where it can.",
    question: "Question",
    play: "Play",
    again: "Play again",
    loading: "Opening the recording…",
    failed: "The recording could not be opened. Check the connection and open the page again.",
  },
  ja: {
    recorded: "記録",
    recordedBy: "ここでは何も計算していません。記録時にモデルが書いた内容を再生しています。",
    withoutGpu: "このブラウザーではモデルを実行できません。実行できる環境での様子をご覧ください。",
    question: "質問",
    play: "再生",
    again: "もう一度再生",
    loading: "記録を開いています…",
    failed: "記録を開けませんでした。接続を確認して、ページを開き直してください。",
  },
});
