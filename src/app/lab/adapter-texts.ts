import { defineTexts } from "../i18n/define-texts.ts";

export const adapterTexts = defineTexts({
  en: {
    heading: "What is trained",
    full: "All weights",
    lora: "LoRA adapter",
    fullHelp: "Every weight is f32 and gets a gradient and two moments, five times the model's f32 weights in all.",
    fullRefused:
      "This checkpoint's weights are quantized, and rounded weights cannot take small updates: an adapter is trained over them.",
    loraHelp: "The weights W stay frozen; a product of two thin matrices beside them is trained:",
    rank: "Rank",
    rankHelp: "Columns of B and rows of A: how much the adapter can express, and what it takes.",
    alpha: "Scale",
    alphaHelp: "The adapter's part is multiplied by α/r, usually 2.",
    modules: "Adapted layers",
    modulesHelp: "The linear layers that get an adapter, by PEFT's names.",
    allLinear: "All linear layers",
    weights: "Frozen weights as",
    weightsHelp:
      "Rollouts, reference and updates read the same frozen weights; quantized while they load, they take less.",
    asStored: "as stored",
  },
  ja: {
    heading: "学習する部分",
    full: "すべての重み",
    lora: "LoRA アダプター",
    fullHelp:
      "すべての重みを f32 で持ち、それぞれに勾配と 2 つのモーメントを持ちます。f32 の重みの約 5 倍のメモリーを使います。",
    fullRefused:
      "このチェックポイントの重みは量子化されています。丸めた重みは小さな更新を反映できないため、アダプターを学習します。",
    loraHelp: "重み W は固定し、その横に置いた細い 2 つの行列の積だけを学習します：",
    rank: "ランク",
    rankHelp: "B の列数であり A の行数です。大きいほど表現力が増え、メモリーも増えます。",
    alpha: "スケール",
    alphaHelp: "アダプターの出力に α/r を掛けます。通常は 2 です。",
    modules: "対象の層",
    modulesHelp: "アダプターを付ける線形層です（名前は PEFT のもの）。",
    allLinear: "すべての線形層",
    weights: "固定する重みの形式",
    weightsHelp: "ロールアウト、参照方策、更新は同じ固定重みを使います。読み込み時に量子化すると小さくなります。",
    asStored: "保存時のまま",
  },
});
