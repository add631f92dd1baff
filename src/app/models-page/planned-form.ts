import type { CatalogueForm, CatalogueModel } from "../../checkpoint/hub/catalogue.ts";
import type { PlanRequest } from "../../engine/protocol.ts";

/** Forms of one address differ in what they become. */
export function formId({ address, quantization }: CatalogueForm): string {
  return `${address} ${quantization}`;
}

/** What is known of a form before its download. */
export function planned({ config }: CatalogueModel, form: CatalogueForm): PlanRequest["model"] {
  const { architectures, ...sizes } = config;
  return {
    kind: "config",
    config: { ...sizes, architectures: [architectures] },
    weights: { format: form.kind, file: form.file, bytes: form.downloadBytes },
  };
}
