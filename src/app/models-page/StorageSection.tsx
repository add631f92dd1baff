import type { StoredModel } from "../../engine/protocol.ts";
import { Button } from "../components/Button.tsx";
import { formatBytes } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useHub } from "./hub-store.ts";
import { loadStored, useIsBusy } from "./load-stored.ts";
import { modelsTexts } from "./texts.ts";

/** What is stored in this browser, and how it goes away. */
export function StorageSection() {
  const { t, language } = usePartTexts(modelsTexts);
  const stored = useHub((state) => state.stored);
  const isPersisted = useHub((state) => state.isPersisted);
  const persist = useHub((state) => state.persist);
  const models = stored?.models ?? [];
  const used = models.reduce((sum, { bytes }) => sum + bytes, 0);
  return (
    <section aria-labelledby="storage" className="flex flex-col gap-3">
      <h3 id="storage" className="font-semibold">
        {t.storage}
      </h3>
      {stored?.isInMemory ? <p className="text-sm text-quiet">{t.inMemory}</p> : null}
      {models.length === 0 ? (
        <p className="text-sm text-quiet">{t.storageEmpty}</p>
      ) : (
        <>
          <p className="text-sm text-quiet">
            {formatBytes(used, language)} {t.storageUsed}
          </p>
          <ul className="flex flex-col gap-2">
            {models.map((model) => (
              <StoredItem key={model.id} model={model} />
            ))}
          </ul>
        </>
      )}
      {stored && !stored.isInMemory && models.length > 0 && isPersisted !== undefined ? (
        <div className="flex flex-wrap items-center gap-3 text-xs text-quiet">
          <p>{isPersisted ? t.kept : t.notKept}</p>
          {isPersisted ? null : <Button onClick={() => void persist()}>{t.askToKeep}</Button>}
        </div>
      ) : null}
    </section>
  );
}

function StoredItem({ model }: { readonly model: StoredModel }) {
  const { t, language } = usePartTexts(modelsTexts);
  const state = useHub(({ downloads }) => downloads[model.address]?.state);
  const download = useHub((hub) => hub.download);
  const remove = useHub((hub) => hub.remove);
  const isRunning = state === "running";
  const size = formatBytes(model.bytes, language);
  const total = formatBytes(model.totalBytes, language);
  return (
    <li className="flex flex-wrap items-center justify-between gap-2 rounded-md border border-line bg-sheet p-3 text-sm">
      <div className="min-w-0 basis-56 grow">
        <p className="font-semibold break-all">{model.address}</p>
        <p className="text-xs text-quiet">
          {model.source ? size : `${size} ${t.ofTotal} ${total}`} · <code>{model.commit.slice(0, 10)}</code>
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {model.source ? <LoadButtons model={model} /> : null}
        {model.source || isRunning ? null : (
          <Button
            kind="primary"
            aria-label={`${t.resume}: ${model.address}`}
            onClick={() => void download(model.address)}
          >
            {t.resume}
          </Button>
        )}
        <Button disabled={isRunning} aria-label={`${t.delete}: ${model.address}`} onClick={() => void remove(model)}>
          {t.delete}
        </Button>
      </div>
    </li>
  );
}

/** GGUF files and small models as they are, large safetensors quantized. */
function LoadButtons({ model }: { readonly model: StoredModel }) {
  const { t } = usePartTexts(modelsTexts);
  const isBusy = useIsBusy();
  const forms =
    model.format === "safetensors" && model.totalBytes > LARGE_BYTES ? (["q4", "q8"] as const) : [undefined];
  return forms.map((form) => (
    <Button
      key={form ?? "as-is"}
      disabled={isBusy}
      aria-label={`${form ? `${t.loadAs} ${form}` : t.load}: ${model.address}`}
      onClick={() => loadStored(model, form)}
    >
      {form ? `${t.loadAs} ${form}` : t.load}
    </Button>
  ));
}

/** Above this, few graphics devices take a model unquantized. */
const LARGE_BYTES = 2e9;
