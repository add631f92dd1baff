import { lazy, Suspense, useState } from "react";
import type { ReactNode } from "react";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { usePage } from "../store.ts";
import { traceTexts } from "./texts.ts";

const RecordedTrace = lazy(async () => ({ default: (await import("./RecordedTrace.tsx")).RecordedTrace }));

/** Its children, or a recorded trace where no model can run. */
export function WithoutGpu({ children }: { readonly children: ReactNode }) {
  const { t } = usePartTexts(traceTexts);
  const lacks = usePage(({ failure }) => failure?.code === "E_NO_WEBGPU" || failure?.code === "E_NO_ADAPTER");
  const isUnused = usePage(({ model, turns }) => model.status === "none" && turns.length === 0);
  // Dismissing the failure does not bring a device.
  const [lacked, setLacked] = useState(false);
  if (lacks && !lacked) setLacked(true);
  if (!lacked || !isUnused) return children;
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-4">
      <div className="mx-auto flex max-w-4xl flex-col gap-4 py-6">
        <p>{t.withoutGpu}</p>
        <Suspense fallback={<p className="text-sm text-quiet">{t.loading}</p>}>
          <RecordedTrace />
        </Suspense>
      </div>
    </div>
  );
}
