import { useId, useRef } from "react";
import { builtInSource } from "../models.ts";
import type { BuiltInModel } from "../models.ts";
import { formatBytes, formatCompact, formatCount } from "../format.ts";
import { filesOfInput } from "./picked-files.ts";
import type { LoadedModel } from "../../engine/protocol.ts";
import { hrefOf } from "../router.ts";
import { usePage } from "../store.ts";
import type { ModelState } from "../store.ts";
import { usePlayTexts } from "./texts.ts";
import type { PlayTexts } from "./texts.ts";
import { useTexts } from "../use-texts.ts";
import { Button } from "../components/Button.tsx";
import { ContextChoice } from "./ContextChoice.tsx";

type Ready = Extract<ModelState, { readonly status: "ready" }>;

/** Chooses a model: one that comes with the page, or a folder or GGUF file from the reader's disk. */
export function ModelPanel() {
  const { t } = useTexts();
  const heading = useId();
  const model = usePage((state) => state.model);
  const builtIns = usePage((state) => state.builtIns);
  const isBusy = usePage((state) => state.running !== undefined || state.model.status === "loading");
  const ready = model.status === "ready" ? model : undefined;
  return (
    <section aria-labelledby={heading} className="flex flex-col gap-3">
      <h2 id={heading} className="font-semibold">
        {t.modelHeading}
      </h2>
      <ul className="flex flex-col gap-2">
        {ready && !ready.choice.builtIn ? <PickedItem ready={ready} /> : null}
        {builtIns.map((builtIn) => (
          <BuiltInItem
            key={builtIn.folder}
            builtIn={builtIn}
            ready={ready?.choice.builtIn === builtIn ? ready : undefined}
            isBusy={isBusy}
          />
        ))}
      </ul>
      <a className="text-sm text-accent underline" href={hrefOf("models")}>
        {t.modelMore}
      </a>
      <FilesPicker isBusy={isBusy} />
    </section>
  );
}

const CARD = "rounded-md border bg-sheet p-3 text-sm";
const CHOSEN = "border-edge border-l-4 border-l-ink";

interface BuiltInItemProps {
  readonly builtIn: BuiltInModel;
  /** Set when this is the model that is loaded. */
  readonly ready: Ready | undefined;
  readonly isBusy: boolean;
}

function BuiltInItem({ builtIn, ready, isBusy }: BuiltInItemProps) {
  const { t, language } = useTexts();
  const load = usePage((state) => state.load);
  const choose = (): void => void load({ source: builtInSource(builtIn), builtIn });
  return (
    <li className={`${CARD} ${ready ? CHOSEN : "border-line"}`}>
      <div className="flex items-baseline justify-between gap-2">
        <span className="font-semibold">{builtIn.name}</span>
        {ready ? (
          <span className="text-xs text-quiet">{t.modelLoaded}</span>
        ) : (
          <Button disabled={isBusy} onClick={choose} aria-label={`${t.modelLoad}: ${builtIn.name}`}>
            {t.modelLoad}
          </Button>
        )}
      </div>
      <p className="mt-1 text-xs text-quiet">{builtIn.note[language]}</p>
      {ready ? (
        <ModelFacts ready={ready} />
      ) : (
        <p className="mt-1 text-xs text-quiet">
          {t.modelDownload}
          {formatBytes(builtIn.bytes, language)}
        </p>
      )}
    </li>
  );
}

function PickedItem({ ready }: { readonly ready: Ready }) {
  const { t } = useTexts();
  return (
    <li className={`${CARD} ${CHOSEN}`}>
      <div className="flex items-baseline justify-between gap-2">
        <span className="font-semibold break-all">{ready.model.name}</span>
        <span className="text-xs whitespace-nowrap text-quiet">{t.modelLoaded}</span>
      </div>
      <ModelFacts ready={ready} />
    </li>
  );
}

function ModelFacts({ ready: { model } }: { readonly ready: Ready }) {
  const { t, language } = useTexts();
  const { t: p } = usePlayTexts();
  const buffer = usePage((state) => state.device?.maxBufferSize);
  const facts = [
    `${formatCompact(model.parameters, language)} ${t.parameters}`,
    `${formatCount(model.spec.layers, language)} ${t.layers}`,
    `${t.context} ${formatCount(model.contextTokens, language)}`,
    formatBytes(model.weightBytes, language),
  ];
  return (
    <>
      <p className="mt-1 text-xs text-quiet">{facts.join(" · ")}</p>
      {model.runtime === "onnx-wasm" ? (
        <p className="mt-1 text-xs text-quiet">{processorText(p, model.instead)}</p>
      ) : (
        <p className="mt-1 text-xs text-quiet">
          {p.memory} {formatBytes(model.memoryBytes, language)}
          {p.memoryOf}
          {buffer === undefined ? "" : ` ${p.deviceBuffer} ${formatBytes(buffer, language)}${p.deviceBufferOf}`}
        </p>
      )}
      <ContextChoice model={model} />
    </>
  );
}

/** Why a model runs on the processor. */
function processorText(p: PlayTexts, instead: LoadedModel["instead"]): string {
  if (instead === "no-device") return p.processorNoDevice;
  if (instead === "form") return p.processorForm;
  return instead === "software-device" ? p.processorSoftware : p.processor;
}

function FilesPicker({ isBusy }: { readonly isBusy: boolean }) {
  const { t } = useTexts();
  return (
    <div className="rounded-md border border-dashed border-edge p-3 text-xs text-quiet">
      <div className="mb-2 flex flex-wrap gap-2">
        <PickButton label={t.modelFolder} isBusy={isBusy} choice={{ webkitdirectory: "" }} />
        {/* Parts of a split model are chosen together. */}
        <PickButton label={t.modelFile} isBusy={isBusy} choice={{ accept: ".gguf" }} />
      </div>
      <p>{t.modelDrop}</p>
    </div>
  );
}

interface PickButtonProps {
  readonly label: string;
  readonly isBusy: boolean;
  /** What the browser's dialog offers. */
  readonly choice: Readonly<Record<string, string>>;
}

function PickButton({ label, isBusy, choice }: PickButtonProps) {
  const loadFiles = usePage((state) => state.loadFiles);
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button disabled={isBusy} onClick={() => input.current?.click()}>
        {label}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        {...choice}
        onChange={({ target }) => {
          const chosen = [...(target.files ?? [])];
          // The same files can be picked again after they were mended.
          target.value = "";
          void loadFiles(Promise.resolve(chosen).then(filesOfInput));
        }}
      />
    </>
  );
}
