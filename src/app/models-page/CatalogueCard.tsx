import type { CatalogueForm, CatalogueModel } from "../../checkpoint/hub/catalogue.ts";
import { Button } from "../components/Button.tsx";
import { formatBytes, formatCompact, formatCount } from "../format.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useHub } from "./hub-store.ts";
import { loadStored, useIsBusy } from "./load-stored.ts";
import { MemoryLines } from "./MemoryLines.tsx";
import { useMemoryTexts } from "./memory-texts.ts";
import { usePlan, usePlans } from "./plan-store.ts";
import type { LoadChoice } from "./plan-store.ts";
import { formId, planned } from "./planned-form.ts";
import type { Proposal } from "./proposal.ts";
import { modelsTexts } from "./texts.ts";
import { useProposal } from "./use-proposal.ts";

/** A model of the catalogue, in the forms in which it can be had. */
export function CatalogueCard({ model }: { readonly model: CatalogueModel }) {
  const { t, language } = usePartTexts(modelsTexts);
  const proposal = useProposal(model);
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
      <ProposalLine proposal={proposal} />
      <ul className="mt-3 flex flex-col divide-y divide-line border-t border-line">
        {model.forms.map((form) => (
          <FormRow key={formId(form)} model={model} form={form} isProposed={proposal?.form === form} />
        ))}
      </ul>
    </article>
  );
}

/** @param proposal undefined until it is known, null where there is none */
function ProposalLine({ proposal }: { readonly proposal: Proposal | null | undefined }) {
  const { language } = usePartTexts(modelsTexts);
  const t = useMemoryTexts();
  const take = usePlans((state) => state.take);
  if (proposal === undefined) return null;
  if (proposal === null) return <p className="mt-2 text-xs">{t.noProposal}</p>;
  const { form, contextTokens, isSure } = proposal;
  const text = `${form.quantization} · ${t.planTokens(formatCount(contextTokens, language))}`;
  return (
    <div className="mt-2 flex flex-wrap items-center gap-2 text-xs">
      <p>{isSure ? t.proposal : t.proposalUnsure}</p>
      <Button
        className="px-2 py-1 text-xs whitespace-normal"
        onClick={() => take(formId(form), { contextTokens, ...(form.loadAs ? { format: form.loadAs } : {}) })}
      >
        {text}
      </Button>
    </div>
  );
}

interface FormRowProps {
  readonly model: CatalogueModel;
  readonly form: CatalogueForm;
  readonly isProposed: boolean;
}

const KINDS = { gguf: "GGUF", safetensors: "safetensors", onnx: "ONNX" } as const;

function FormRow({ model, form, isProposed }: FormRowProps) {
  const { t, language } = usePartTexts(modelsTexts);
  const m = useMemoryTexts();
  const id = formId(form);
  const { advice, choice } = usePlan(id, planned(model, form), form.loadAs);
  const take = usePlans((state) => state.take);
  const label = `${model.name} ${form.quantization}`;
  return (
    <li className="flex flex-col gap-1 py-2">
      <div className="flex items-center justify-between gap-3">
        <p className="min-w-0">
          <span className="font-semibold">{form.quantization}</span>{" "}
          <span className="text-xs text-quiet">{KINDS[form.kind]}</span>{" "}
          {isProposed ? (
            <span className="rounded-full border border-accent px-2 text-xs whitespace-nowrap text-accent">
              {m.proposed}
            </span>
          ) : null}
        </p>
        <FormAction form={form} label={label} choice={choice} />
      </div>
      <p className="text-xs text-quiet">
        {t.size}: {form.isExact ? null : `${m.approximately} `}
        {formatBytes(form.downloadBytes, language)}
      </p>
      <MemoryLines advice={advice} label={label} onTake={(taken) => take(id, taken)} />
    </li>
  );
}

interface FormActionProps {
  readonly form: CatalogueForm;
  readonly label: string;
  readonly choice: LoadChoice;
}

/** The one next step with a form. */
function FormAction({ form, label, choice }: FormActionProps) {
  const { t } = usePartTexts(modelsTexts);
  const stored = useHub((state) => state.stored?.models.find(({ address }) => address === form.address));
  const state = useHub(({ downloads }) => downloads[form.address]?.state);
  const download = useHub((hub) => hub.download);
  const isBusy = useIsBusy();
  if (state === "running") return <span className="text-xs whitespace-nowrap text-quiet">{t.running}</span>;
  if (stored?.source) {
    return (
      <Button disabled={isBusy} aria-label={`${t.load}: ${label}`} onClick={() => loadStored(stored, choice)}>
        {t.load}
      </Button>
    );
  }
  const text = stored ? t.resume : t.download;
  return (
    <Button aria-label={`${text}: ${label}`} onClick={() => void download(form.address, form.sha256)}>
      {text}
    </Button>
  );
}
