import { defineTexts } from "../i18n/define-texts.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useOffline } from "../offline.ts";
import { Button } from "./Button.tsx";

const updateTexts = defineTexts({
  en: {
    newer: "A newer version of this page is ready. Reloading ends what is running.",
    reload: "Reload",
  },
  ja: {
    newer: "このページの新しい版があります。再読み込みすると、実行中の処理は終了します。",
    reload: "再読み込み",
  },
});

/** Offers a newer version, when the reader has time for it. */
export function UpdateNote() {
  const { t } = usePartTexts(updateTexts);
  const update = useOffline((state) => state.update);
  return (
    <div role="status" className="empty:hidden">
      {update ? (
        <p className="flex flex-wrap items-center justify-between gap-3 border-b border-line px-4 py-2 text-sm text-quiet">
          {t.newer}
          <Button onClick={update}>{t.reload}</Button>
        </p>
      ) : null}
    </div>
  );
}
