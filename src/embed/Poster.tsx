import { useEffect, useRef, useState } from "react";
import { Button } from "../app/components/Button.tsx";
import { formatBytes } from "../app/format.ts";
import { usePartTexts } from "../app/i18n/use-part-texts.ts";
import { fetchBuiltInModels } from "../app/models.ts";
import type { BuiltInModel } from "../app/models.ts";
import { RecordedTrace } from "../app/traces/RecordedTrace.tsx";
import { HAS_WEBGPU, HAS_WORKER, startByReader, useFrame } from "./frame-store.ts";
import type { EmbedAddress } from "./params.ts";
import { embedTexts } from "./texts.ts";
import { useSeen } from "./use-seen.ts";

/** What stands in the frame before anything is loaded: a recorded trace, and the press that starts the model. */
export function Poster({ address }: { readonly address: EmbedAddress }) {
  const { t } = usePartTexts(embedTexts);
  const box = useRef<HTMLDivElement>(null);
  const isSeen = useSeen(box);
  const isStill = address.start === "click" ? address.view !== "trace" : !isSeen;
  const why = HAS_WORKER ? (HAS_WEBGPU ? undefined : t.noWebGpu) : t.noWorker;
  return (
    <>
      <div
        ref={box}
        className="min-h-0 flex-1 overflow-y-auto px-4"
        tabIndex={0}
        role="region"
        aria-label={t.viewTrace}
      >
        <div data-content className="mx-auto flex max-w-4xl flex-col gap-4 py-4">
          {why !== undefined && address.view !== "trace" ? <p className="text-sm">{why}</p> : null}
          <RecordedTrace name={address.preset} samples={address.view === "compare" ? 2 : 1} isStill={isStill} />
        </div>
      </div>
      {address.view === "trace" || why !== undefined ? null : <Start address={address} />}
    </>
  );
}

function Start({ address }: { readonly address: EmbedAddress }) {
  const { t, language } = usePartTexts(embedTexts);
  const wasAsked = useFrame((state) => state.wasAsked);
  const model = useModel(address.state.model);
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line bg-sheet px-4 py-3">
      <Button kind="primary" onClick={() => void startByReader()}>
        {address.view === "compare" ? t.startCompare : t.start}
      </Button>
      <p className="flex-1 basis-56 text-xs text-quiet">
        {model ? `${model.name} · ${t.download} ${formatBytes(model.bytes, language)} · ` : ""}
        {t.cost}
      </p>
      <p role="status" className="basis-full text-sm empty:hidden">
        {wasAsked ? t.asked : ""}
      </p>
    </div>
  );
}

/** What the list says about the model that a start would load. */
function useModel(folder: string | undefined): BuiltInModel | undefined {
  const [model, setModel] = useState<BuiltInModel>();
  useEffect(() => {
    let isHere = true;
    fetchBuiltInModels().then(
      (models) => isHere && setModel(models.find((one) => one.folder === folder) ?? models[0]),
      // Starting will say what is wrong.
      () => undefined,
    );
    return () => {
      isHere = false;
    };
  }, [folder]);
  return model;
}
