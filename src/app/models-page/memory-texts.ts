import type { MemoryAdvice } from "../../engine/protocol.ts";
import type { Language } from "../i18n/texts.ts";
import { useTexts } from "../use-texts.ts";

interface Parts {
  readonly total: string;
  readonly weights: string;
  readonly cache: string;
  /** That the cache is for. */
  readonly tokens: string;
  readonly workspace: string;
}

/** Sentences with amounts in them, which are formatted before. */
export interface MemoryTexts {
  readonly approximately: string;
  readonly planFor: string;
  readonly planTokens: (tokens: string) => string;
  readonly planning: string;
  readonly unplanned: string;
  readonly memoryParts: (parts: Parts) => string;
  readonly onProcessor: string;
  readonly fits: string;
  readonly fitsUpTo: (tokens: string) => string;
  readonly tooLarge: string;
  readonly nothingSmaller: string;
  /** Why something does not fit: what it needs, and what there is. */
  readonly reasons: Readonly<
    Record<NonNullable<MemoryAdvice["reason"]>["kind"], (needed: string, limit: string) => string>
  >;
  readonly proposed: string;
  readonly proposal: string;
  readonly proposalUnsure: string;
  readonly noProposal: string;
  readonly moved: (revision: string, commit: string) => string;
}

export const MEMORY_TEXTS: Readonly<Record<Language, MemoryTexts>> = {
  en: {
    approximately: "about",
    planFor: "Memory is planned for a context of",
    planTokens: (tokens) => `${tokens} tokens`,
    planning: "Working out the memory…",
    unplanned: "What memory it needs is known once it is downloaded.",
    memoryParts: ({ total, weights, cache, tokens, workspace }) =>
      `Memory ${total}: weights ${weights}, cache ${cache} for ${tokens} tokens, workspace ${workspace}`,
    onProcessor: "on the processor",
    fits: "Fits.",
    fitsUpTo: (tokens) => `So would ${tokens} tokens of context.`,
    tooLarge: "Does not fit:",
    nothingSmaller: "Nothing smaller would; take a smaller model.",
    reasons: {
      memory: (bytes, limit) => `it takes ${bytes}; this machine has about ${limit} for it.`,
      process: (bytes, limit) => `on the processor WebAssembly holds ${limit}, of which it would take ${bytes}.`,
      "kv-buffer": (bytes, limit) => `a layer's cache is ${bytes}; a buffer of this device holds ${limit}.`,
      "workspace-buffer": (bytes, limit) => `one of its buffers is ${bytes}; this device's hold ${limit}.`,
      "weights-buffer": (bytes, limit) =>
        `ONNX Runtime keeps a matrix of ${bytes} whole; a buffer of this device holds ${limit}.`,
      feature: () => "this graphics device does not compute in this form's numbers (half precision or 8 bits).",
      context: (tokens, limit) => `a context of ${tokens} tokens; the model was made for ${limit}.`,
    },
    proposed: "Proposed",
    proposal: "For this machine:",
    proposalUnsure: "If the graphics device has the memory, which browsers do not tell:",
    noProposal: "No form of this model fits this machine.",
    moved: (revision, commit) => `The repository's ${revision} has moved on to ${commit} since this download.`,
  },
  ja: {
    approximately: "約",
    planFor: "メモリーの見積もりに使うコンテキスト：",
    planTokens: (tokens) => `${tokens} トークン`,
    planning: "必要なメモリーを見積もっています…",
    unplanned: "必要なメモリーはダウンロード後にわかります。",
    memoryParts: ({ total, weights, cache, tokens, workspace }) =>
      `メモリー ${total}（重み ${weights}、${tokens} トークン分のキャッシュ ${cache}、作業領域 ${workspace}）`,
    onProcessor: "CPU で実行",
    fits: "収まります。",
    fitsUpTo: (tokens) => `コンテキストは ${tokens} トークンまで延ばせます。`,
    tooLarge: "収まりません：",
    nothingSmaller: "これより小さくしても収まりません。小さいモデルを選んでください。",
    reasons: {
      memory: (bytes, limit) => `${bytes} が必要ですが、この端末で使えるのは約 ${limit} です。`,
      process: (bytes, limit) => `CPU では WebAssembly の上限が ${limit} で、必要なのは ${bytes} です。`,
      "kv-buffer": (bytes, limit) => `1 層のキャッシュが ${bytes} で、このデバイスのバッファーの上限は ${limit} です。`,
      "workspace-buffer": (bytes, limit) => `作業用のバッファーが ${bytes} で、このデバイスの上限は ${limit} です。`,
      "weights-buffer": (bytes, limit) =>
        `ONNX Runtime は ${bytes} の行列を分割せずに置きますが、このデバイスのバッファーの上限は ${limit} です。`,
      feature: () => "このグラフィックスデバイスは、この形式の数値（半精度や 8 ビット）で計算できません。",
      context: (tokens, limit) => `コンテキスト ${tokens} トークンは、モデルの上限 ${limit} を超えています。`,
    },
    proposed: "おすすめ",
    proposal: "この端末なら：",
    proposalUnsure: "グラフィックスメモリーが足りれば（ブラウザーからはわかりません）：",
    noProposal: "このモデルは、どの形式でもこの端末に収まりません。",
    moved: (revision, commit) => `ダウンロードの後に、リポジトリの ${revision} が ${commit} へ進みました。`,
  },
};

export function useMemoryTexts(): MemoryTexts {
  return MEMORY_TEXTS[useTexts().language];
}
