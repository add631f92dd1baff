import { useId, useState } from "react";
import type { LoadedModel } from "../../engine/protocol.ts";
import { R1Error } from "../../errors.ts";
import { isEngineHeld, sharedEngine } from "../engine.ts";
import { toFailure } from "../failure.ts";
import { formatCount } from "../format.ts";
import { defineTexts } from "../i18n/define-texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { usePage } from "../store.ts";

const contextTexts = defineTexts({
  en: {
    label: "Context length",
    tokens: "tokens",
    own: "tokens (the model's own)",
    help: "Room for a conversation with its thoughts. The longer it is, the more memory its cache takes.",
  },
  ja: {
    label: "コンテキスト長",
    tokens: "トークン",
    own: "トークン（モデルの上限）",
    help: "思考を含めた会話全体の長さです。長いほどキャッシュに多くのメモリーを使います。",
  },
});

/** Gives the loaded model another context. Those are offered that the engine has found to fit. */
export function ContextChoice({ model }: { readonly model: LoadedModel }) {
  const { t, language } = usePartTexts(contextTexts);
  const id = useId();
  const isBusy = usePage((state) => state.running !== undefined || state.model.status === "loading");
  const [isChanging, setIsChanging] = useState(false);
  const contexts = [...new Set([...model.contexts, model.contextTokens])].toSorted((a, b) => a - b);
  if (contexts.length < 2) return null;
  const choose = async (contextTokens: number): Promise<void> => {
    setIsChanging(true);
    await changeContext(contextTokens);
    setIsChanging(false);
  };
  return (
    <div className="mt-2 text-xs">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <label htmlFor={id}>{t.label}</label>
        <select
          id={id}
          className="max-w-full rounded-md border border-edge bg-paper px-2 py-1"
          value={model.contextTokens}
          disabled={isBusy || isChanging}
          aria-describedby={`${id}-help`}
          onChange={({ target }) => void choose(Number(target.value))}
        >
          {contexts.map((tokens) => (
            <option key={tokens} value={tokens}>
              {formatCount(tokens, language)} {tokens === model.spec.maxPositions ? t.own : t.tokens}
            </option>
          ))}
        </select>
      </div>
      <p id={`${id}-help`} className="mt-1 text-quiet">
        {t.help}
      </p>
    </div>
  );
}

/** The conversation goes on; a lost model comes back with the context that it has now. */
async function changeContext(contextTokens: number): Promise<void> {
  const { model } = usePage.getState();
  if (model.status !== "ready") return;
  try {
    if (isEngineHeld()) throw new R1Error("E_BUSY", "a run of training has the engine; stop it in the GRPO lab");
    const changed = await sharedEngine().setContext(contextTokens);
    if (usePage.getState().model !== model) return;
    usePage.setState({
      model: { ...model, model: changed, choice: { ...model.choice, contextTokens } },
      failure: undefined,
    });
  } catch (error) {
    usePage.setState({ failure: toFailure(error) });
  }
}
