import { useEffect } from "react";
import type { GrpoVerdict, TrainingPlanBytes, TrainingShortfall } from "../../engine/protocol.ts";
import type { GrpoConfig } from "../../train/config/grpo-config.ts";
import { Button } from "../components/Button.tsx";
import { sharedEngine } from "../engine.ts";
import { formatBytes } from "../format.ts";
import { LOCALES } from "../i18n/texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { usePage } from "../store.ts";
import { adapterOf, FIRST_ADAPTER } from "./adapter-draft.ts";
import { useForm } from "./form-store.ts";
import { isCheckpoint } from "./starting-models.ts";
import { usePlan } from "./plan-store.ts";
import { planTexts } from "./plan-texts.ts";
import { formatDuration } from "./run-facts.ts";
import { useLab } from "./use-lab.ts";

/** Typing goes on for a while before a form is complete. */
const WAIT_MS = 400;

/** Parameters from which frozen weights are quantized by themselves: in f32 or as stored they crowd out everything else. */
const LARGE = 3e8;

/** What the run in the form will take, before it is started, and what would fit where it does not. */
export function PlanNote({ config }: { readonly config: GrpoConfig | undefined }) {
  const { t, language } = usePartTexts(planTexts);
  const { plan, failure, isPlanning } = usePlan();
  usePlanning(config);
  if (failure && config) {
    // Without a device there is nothing to plan for, which the page says elsewhere.
    if (failure.code === "E_NO_WEBGPU" || failure.code === "E_NO_ADAPTER") return null;
    return (
      <p role="status" className="text-xs text-failure">
        {t.failed} {LOCALES[language].errors[failure.code]}
      </p>
    );
  }
  if (!plan) return isPlanning ? <p className="text-xs text-quiet">{t.planning}</p> : null;
  const { verdict, format, secondsPerStep } = plan;
  return (
    <section aria-label={t.heading} className="flex flex-col gap-1 text-xs" aria-busy={isPlanning}>
      <details>
        <summary className="cursor-pointer">
          {t.memory}: <strong>{formatBytes(verdict.plan.peak, language)}</strong> · {t.perStep}:{" "}
          <strong>
            {t.about} {formatDuration(secondsPerStep, language)}
          </strong>
        </summary>
        <Bytes plan={verdict.plan} format={format} />
        <p className="mt-1 text-quiet">{t.estimate}</p>
      </details>
      {verdict.fits ? <p className="text-quiet">{t.fits}</p> : <Shortfall verdict={verdict} />}
    </section>
  );
}

const PARTS = ["weights", "reference", "parameters", "kvCache", "activations", "workspace", "staging"] as const;

function Bytes({ plan, format }: { readonly plan: TrainingPlanBytes; readonly format: string }) {
  const { t, language } = usePartTexts(planTexts);
  return (
    <dl className="mt-1 grid grid-cols-[1fr_auto] gap-x-3 text-quiet">
      {PARTS.map((part) =>
        plan[part] === 0 ? null : (
          <div key={part} className="contents">
            <dt>
              {t[part]}
              {part === "weights" ? ` (${format})` : ""}
            </dt>
            <dd className="text-right tabular-nums">{formatBytes(plan[part], language)}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

function Shortfall({ verdict }: { readonly verdict: Extract<GrpoVerdict, { readonly fits: false }> }) {
  const { t, language } = usePartTexts(planTexts);
  const { reason, offer } = verdict;
  const sentences: Record<TrainingShortfall["kind"], string> = {
    memory: t.reasonMemory,
    "parameters-buffer": t.reasonParameters,
    "kv-buffer": t.reasonCache,
    "workspace-buffer": t.reasonWorkspace,
    context: t.reasonContext,
  };
  const amount = (value: number): string => (reason.kind === "context" ? String(value) : formatBytes(value, language));
  return (
    <div role="status" className="flex flex-col items-start gap-1">
      <p className="text-failure">
        {sentences[reason.kind]} ({t.needed}: {amount(reason.bytes)}, {t.there}: {amount(reason.limit)})
      </p>
      {offer ? (
        <>
          <p className="text-quiet">
            {Object.entries(offer.changes).map(described).join(" · ")} → {formatBytes(offer.plan.peak, language)}
          </p>
          <Button className="px-2 py-0.5 text-xs" onClick={() => useForm.getState().setAll(offer.changes)}>
            {t.takeOffer}
          </Button>
        </>
      ) : (
        <p>{t.noOffer}</p>
      )}
    </div>
  );
}

/** num_generations 4; of an adapter its rank. */
function described([name, value]: readonly [string, unknown]): string {
  const adapter = name === "lora" ? adapterOf({ lora: value }) : undefined;
  return adapter ? `LoRA r ${String(adapter.r)}` : `${name} ${String(value)}`;
}

/**
 * Asks for a plan whenever the form has changed and nothing else has the engine; takes an adapter where nothing else can
 * be trained, and quantizes what is large.
 * @param config the same object as long as the form is the same
 */
function usePlanning(config: GrpoConfig | undefined): void {
  const isTraining = useLab((state) => state.active !== undefined || state.otherTab || state.storage === "opening");
  const isBusy = usePage((state) => state.running !== undefined || state.model.status === "loading");
  const isQuantized = usePlan((state) => state.plan?.isQuantized === true && state.model === config?.model);
  const largeModel = usePlan(({ plan, model }) =>
    plan && !plan.isQuantized && plan.parameters >= LARGE && isCheckpoint(model) ? model : undefined,
  );
  const isFull = config !== undefined && config.lora === null;
  useEffect(() => {
    if (!config || isTraining || isBusy) return undefined;
    const timer = setTimeout(() => {
      void usePlan.getState().ask(config, {
        engine: sharedEngine(),
        sourceOf: useLab.getState().sourceOf,
      });
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [config, isTraining, isBusy]);
  useEffect(() => {
    if (isQuantized && isFull) useForm.getState().setAdapter(FIRST_ADAPTER);
  }, [isQuantized, isFull]);
  useEffect(() => {
    const { config: draft, set } = useForm.getState();
    // Once for each model: who wants it as stored can say so.
    if (largeModel !== undefined && draft["weights"] === null && draft["lora"] !== null) set("weights", "q4");
  }, [largeModel]);
}
