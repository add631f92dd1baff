import { useEffect } from "react";
import { CATALOGUE } from "../../checkpoint/hub/catalogue.ts";
import { Choice } from "../components/Choice.tsx";
import { FailureNote } from "../components/FailureNote.tsx";
import { formatBytes, formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { usePage } from "../store.ts";
import { AnyRepository } from "./AnyRepository.tsx";
import { CatalogueCard } from "./CatalogueCard.tsx";
import { DownloadList } from "./DownloadList.tsx";
import { useHub } from "./hub-store.ts";
import { useMemoryTexts } from "./memory-texts.ts";
import { usePlans } from "./plan-store.ts";
import { StorageSection } from "./StorageSection.tsx";
import { modelsTexts } from "./texts.ts";

/** Real checkpoints: what there is, what is on its way, what is stored. */
export function ModelsPage() {
  const { t } = usePartTexts(modelsTexts);
  const refresh = useHub((state) => state.refresh);
  useEffect(() => void refresh(), [refresh]);
  return (
    <main className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex max-w-6xl flex-col gap-8 px-4 py-6">
        <div>
          <h2 className="text-xl font-semibold">{t.heading}</h2>
          <p className="mt-1 max-w-3xl text-sm text-quiet">{t.intro}</p>
          <ThisMachine />
        </div>
        <FailureNote />
        <DownloadList />
        <section aria-labelledby="catalogue" className="flex flex-col gap-3">
          <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-2">
            <h3 id="catalogue" className="font-semibold">
              {t.catalogue}
            </h3>
            <ContextChoice />
          </div>
          <div className="grid gap-4 lg:grid-cols-3">
            {CATALOGUE.map((model) => (
              <CatalogueCard key={model.id} model={model} />
            ))}
          </div>
        </section>
        <div className="grid gap-8 lg:grid-cols-2">
          <AnyRepository />
          <StorageSection />
        </div>
      </div>
    </main>
  );
}

const CONTEXTS = [2048, 4096, 8192, 16_384, 32_768];

/** The context that all plans are for. */
function ContextChoice() {
  const { language } = usePartTexts(modelsTexts);
  const t = useMemoryTexts();
  const contextTokens = usePlans((state) => state.contextTokens);
  const setContext = usePlans((state) => state.setContext);
  const options = CONTEXTS.map((tokens) => ({
    value: String(tokens),
    text: t.planTokens(formatCount(tokens, language)),
  }));
  return (
    <div className="flex flex-wrap items-center gap-2 text-xs">
      <span>{t.planFor}</span>
      <Choice
        label={t.planFor}
        value={String(contextTokens)}
        options={options}
        onChoose={(tokens) => setContext(Number(tokens))}
      />
    </div>
  );
}

/** Browsers tell memory in powers of two, roughly. */
const GB = 1e9;

/** What this machine has, as far as the browser tells. */
function ThisMachine() {
  const { t, language } = usePartTexts(modelsTexts);
  const device = usePage((state) => state.device);
  const free = useHub((state) => state.stored?.freeBytes);
  const memory = "deviceMemory" in navigator ? Number(navigator.deviceMemory) : undefined;
  const facts = [
    device ? `WebGPU: ${formatBytes(device.maxBufferSize, language)} ${t.oneBuffer}` : t.unknownDevice,
    ...(memory === undefined ? [] : [`${formatBytes(memory * GB, language)} ${t.systemMemory}`]),
    ...(free === undefined ? [] : [`${formatBytes(free, language)} ${t.free}`]),
  ];
  return (
    <p className="mt-2 text-xs text-quiet">
      <span className="font-semibold">{t.machine}: </span>
      {facts.join(" · ")}
    </p>
  );
}
