import { useId, useState } from "react";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { chartTexts } from "./texts.ts";

/** A sentence that appears on hover, focus and tap, and goes with Escape. Its parent is its frame. */
export function Explain({ name, text }: { readonly name: string; readonly text: string }) {
  const { t } = usePartTexts(chartTexts);
  const id = useId();
  const [open, setOpen] = useState(false);
  return (
    <span onPointerEnter={() => setOpen(true)} onPointerLeave={() => setOpen(false)}>
      <button
        type="button"
        aria-label={`${t.about} ${name}`}
        aria-describedby={id}
        className="mx-1 inline-flex size-5 items-center justify-center rounded-full border border-edge align-[-0.2em] text-xs leading-none text-quiet hover:border-ink hover:text-ink"
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
        onKeyDown={(press) => {
          if (press.key !== "Escape" || !open) return;
          press.preventDefault();
          setOpen(false);
        }}
      >
        ?
      </button>
      <span
        id={id}
        role="tooltip"
        hidden={!open}
        className="absolute top-full left-0 z-20 max-w-md rounded-md border border-edge bg-sheet px-3 py-2 text-sm font-normal text-ink shadow-md"
      >
        {text}
      </span>
    </span>
  );
}
