import { parseHubAddress } from "../../checkpoint/hub/address.ts";
import type { StoredModel } from "../../engine/protocol.ts";
import { Button } from "../components/Button.tsx";
import { formatBytes } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { FormatChoice, usualFormat } from "./FormatChoice.tsx";
import { useHub } from "./hub-store.ts";
import { loadStored, useIsBusy } from "./load-stored.ts";
import { MemoryLines } from "./MemoryLines.tsx";
import { useMemoryTexts } from "./memory-texts.ts";
import { usePlan, usePlans } from "./plan-store.ts";
import { modelsTexts } from "./texts.ts";
import { visible } from "../../visible-text.ts";

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
  const isBusy = useIsBusy();
  const take = usePlans(({ take: taken }) => taken);
  const known = model.source && ({ kind: "source", source: model.source } as const);
  const { advice, choice } = usePlan(model.address, known, usualFormat(model.weights));
  const size = formatBytes(model.bytes, language);
  const total = formatBytes(model.totalBytes, language);
  return (
    <li className="flex flex-wrap items-center justify-between gap-2 rounded-md border border-line bg-sheet p-3 text-sm">
      <div className="min-w-0 basis-56 grow">
        <p className="font-semibold break-all">{visible(model.address)}</p>
        <p className="text-xs text-quiet">
          {model.source ? size : `${size} ${t.ofTotal} ${total}`} · <code>{model.commit.slice(0, 10)}</code>
        </p>
      </div>
      <div className="flex flex-wrap gap-2">
        {model.source ? (
          <Button
            disabled={isBusy}
            aria-label={`${t.load}: ${visible(model.address)}`}
            onClick={() => loadStored(model, choice)}
          >
            {t.load}
          </Button>
        ) : null}
        {model.source || isRunning ? null : (
          <Button
            kind="primary"
            aria-label={`${t.resume}: ${visible(model.address)}`}
            onClick={() => void download(model.address)}
          >
            {t.resume}
          </Button>
        )}
        <Button
          disabled={isRunning}
          aria-label={`${t.delete}: ${visible(model.address)}`}
          onClick={() => void remove(model)}
        >
          {t.delete}
        </Button>
      </div>
      {model.source ? (
        <div className="flex basis-full flex-col items-start gap-1">
          <FormatChoice id={model.address} weights={model.weights} choice={choice} />
          <MemoryLines advice={advice} label={visible(model.address)} onTake={(taken) => take(model.address, taken)} />
          <MovedNote model={model} />
        </div>
      ) : null}
    </li>
  );
}

/** That the branch it came from has moved on, with the choice that leaves. */
function MovedNote({ model }: { readonly model: StoredModel }) {
  const { t } = usePartTexts(modelsTexts);
  const m = useMemoryTexts();
  const latest = useHub((state) => state.latest[model.address]);
  const download = useHub((state) => state.download);
  const keep = useHub((state) => state.keep);
  if (latest === undefined || latest === model.commit || latest === model.passedCommit) return null;
  return (
    <div className="flex flex-wrap items-center gap-2 text-xs">
      <p>{m.moved(visible(parseHubAddress(model.address).revision), latest.slice(0, 10))}</p>
      <Button className="px-2 py-1 text-xs" onClick={() => void keep(model, latest)}>
        {t.keep}
      </Button>
      <Button className="px-2 py-1 text-xs" onClick={() => void download(model.address)}>
        {t.fetchAnew}
      </Button>
    </div>
  );
}
