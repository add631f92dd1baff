import { lazy, Suspense, useState } from "react";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { currentLink } from "./link.ts";
import { shareTexts } from "./texts.ts";
import { useCopy } from "./use-copy.ts";

const EmbedDialog = lazy(async () => ({ default: (await import("./EmbedDialog.tsx")).EmbedDialog }));
const LinkDialog = lazy(async () => ({ default: (await import("./LinkDialog.tsx")).LinkDialog }));

const BUTTON = "rounded-md border border-edge bg-sheet px-2 py-1 text-xs whitespace-nowrap hover:border-ink";

type Open = { readonly kind: "embed" } | { readonly kind: "link"; readonly link: string };

/** Gives the page away: as a link, or as a frame for another page. */
export function ShareMenu() {
  const { t } = usePartTexts(shareTexts);
  const { isCopied, copy } = useCopy();
  const [open, setOpen] = useState<Open>();
  const share = async (): Promise<void> => {
    const link = await currentLink();
    if (!(await copy(link))) setOpen({ kind: "link", link });
  };
  const close = (): void => setOpen(undefined);
  return (
    <>
      <button type="button" className={BUTTON} title={t.shareHelp} onClick={() => void share()}>
        {isCopied ? t.copied : t.share}
      </button>
      <span role="status" className="sr-only">
        {isCopied ? t.copied : ""}
      </span>
      <button type="button" className={BUTTON} title={t.embedHelp} onClick={() => setOpen({ kind: "embed" })}>
        {t.embed}
      </button>
      <Suspense fallback={null}>
        {open?.kind === "embed" ? <EmbedDialog onClose={close} /> : null}
        {open?.kind === "link" ? <LinkDialog link={open.link} onClose={close} /> : null}
      </Suspense>
    </>
  );
}
