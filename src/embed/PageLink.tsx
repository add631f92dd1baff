import { useState } from "react";
import { usePartTexts } from "../app/i18n/use-part-texts.ts";
import { hrefOf } from "../app/router.ts";
import { shareQuery } from "../app/share/link.ts";
import { embedTexts } from "./texts.ts";
import { useFrame } from "./frame-store.ts";

/** Leads to the whole page in a tab of its own, as the frame is now. */
export function PageLink() {
  const { t } = usePartTexts(embedTexts);
  const isRun = useFrame(({ address }) => address?.view === "grpo");
  const page = isRun ? "lab" : "playground";
  const [href, setHref] = useState(() => pageAddress(hrefOf(page)));
  // The address is made when it is about to be followed: by mouse, finger or keyboard.
  const refresh = (): void => void shareQuery(page).then((query) => setHref(pageAddress(hrefOf(page, query))));
  return (
    <a
      href={href}
      target="_blank"
      rel="noreferrer"
      className="text-accent underline"
      onPointerEnter={refresh}
      onFocus={refresh}
    >
      {t.open}
    </a>
  );
}

function pageAddress(hash: string): string {
  return new URL(`./${hash}`, document.baseURI.replace(/[?#].*$/, "")).href;
}
