import { useEffect } from "react";
import type { CatalogueForm, CatalogueModel } from "../../checkpoint/hub/catalogue.ts";
import { usePage } from "../store.ts";
import { planKey, usePlans } from "./plan-store.ts";
import type { LoadChoice } from "./plan-store.ts";
import { formId, planned } from "./planned-form.ts";
import { proposalFor } from "./proposal.ts";
import type { Proposal } from "./proposal.ts";

/** Proposals are about the longest context: what is asked for does not change them. */
const ANY_CONTEXT = 512;

/** What suits this machine most; undefined until it is known, null where no form fits. */
export function useProposal(model: CatalogueModel): Proposal | null | undefined {
  const device = usePage((state) => state.device);
  const ask = usePlans((state) => state.ask);
  const answers = usePlans((state) => state.answers);
  useEffect(() => {
    for (const form of model.forms) {
      ask(planKey(formId(form), choiceOf(form), device), { model: planned(model, form), ...choiceOf(form) });
    }
  }, [model, device, ask]);
  const keys = model.forms.map((form) => planKey(formId(form), choiceOf(form), device));
  if (keys.some((key) => !answers.has(key))) return undefined;
  const judged = model.forms.flatMap((form, i) => {
    const advice = answers.get(keys[i] ?? "");
    return advice ? [{ form, advice }] : [];
  });
  return proposalFor(judged) ?? null;
}

function choiceOf(form: CatalogueForm): LoadChoice {
  return { contextTokens: ANY_CONTEXT, ...(form.loadAs ? { format: form.loadAs } : {}) };
}
