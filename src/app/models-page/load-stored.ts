import type { StoredModel } from "../../engine/protocol.ts";
import { hrefOf } from "../router.ts";
import { usePage } from "../store.ts";
import type { LoadChoice } from "./plan-store.ts";

/** Loads a downloaded model, on the page where it can be asked. */
export function loadStored({ source }: StoredModel, choice: LoadChoice): void {
  if (!source) return;
  location.hash = hrefOf("playground");
  void usePage.getState().load({ source, builtIn: undefined, ...choice });
}

/** A model is being loaded or asked: another one has to wait. */
export function useIsBusy(): boolean {
  return usePage((state) => state.running !== undefined || state.model.status === "loading");
}
