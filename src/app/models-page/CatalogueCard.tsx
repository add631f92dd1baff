import type { CatalogueForm, CatalogueModel } from "../../checkpoint/hub/catalogue.ts";
import { Button } from "../components/Button.tsx";
import { formatBytes, formatCompact, formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useHub } from "./hub-store.ts";
import { loadStored, useIsBusy } from "./load-stored.ts";
import { memoryNeeded } from "./needs.ts";
import { modelsTexts } from "./texts.ts";

/** A model of the catalogue, in the forms in which it can be had. */
export function CatalogueCard({ model }: { readonly model: CatalogueModel }) {
  const { t, language } = usePartTexts(modelsTexts);
  return (
    <article className="flex flex-col rounded-md border border-line bg-sheet p-4 text-sm">
      <h4 className="font-semibold break-words">{model.name}</h4>
      <p className="mt-1 text-xs text-quiet">
        {formatCompact(model.parameters, language)} {t.parameters} ·{" "}
        {formatCount(model.config.max_position_embeddings, language)} {t.context}
      </p>
      <p className="text-xs text-quiet">
        {t.licence}: {model.licence}
      </p>
      <p className="text-xs">
        <a className="text-accent underline" href={model.page} target="_blank" rel="noreferrer">
          {t.page}
        </a>
      </p>
      <ul className="mt-3 flex flex-col divide-y divide-line border-t border-line">
        {model.forms.map((form) => (
          <FormRow key={form.quantization} model={model} form={form} />
        ))}
      </ul>
      <p className="mt-2 text-xs text-quiet">{t.withContext}</p>
    </article>
  );
}

interface FormRowProps {
  readonly model: CatalogueModel;
  readonly form: CatalogueForm;
}

function FormRow({ model, form }: FormRowProps) {
  const { t, language } = usePartTexts(modelsTexts);
  return (
    <li className="flex items-center justify-between gap-3 py-2">
      <div className="min-w-0">
        <p>
          <span className="font-semibold">{form.quantization}</span>{" "}
          <span className="text-xs text-quiet">{form.kind === "gguf" ? "GGUF" : "safetensors"}</span>
        </p>
        <p className="text-xs text-quiet">
          {t.size}: {formatBytes(form.downloadBytes, language)} · {t.memory}{" "}
          {formatBytes(memoryNeeded(model, form), language)}
        </p>
      </div>
      <FormAction form={form} label={`${model.name} ${form.quantization}`} />
    </li>
  );
}

/** The one next step with a form. */
function FormAction({ form, label }: { readonly form: CatalogueForm; readonly label: string }) {
  const { t } = usePartTexts(modelsTexts);
  const stored = useHub((state) => state.stored?.models.find(({ address }) => address === form.address));
  const state = useHub(({ downloads }) => downloads[form.address]?.state);
  const download = useHub((hub) => hub.download);
  const isBusy = useIsBusy();
  if (state === "running") return <span className="text-xs whitespace-nowrap text-quiet">{t.running}</span>;
  if (stored?.source) {
    return (
      <Button disabled={isBusy} aria-label={`${t.load}: ${label}`} onClick={() => loadStored(stored, form.loadAs)}>
        {t.load}
      </Button>
    );
  }
  const text = stored ? t.resume : t.download;
  return (
    <Button aria-label={`${text}: ${label}`} onClick={() => void download(form.address)}>
      {text}
    </Button>
  );
}
