import { useEffect, useId, useState } from "react";
import type { ReactNode } from "react";
import { Button } from "../components/Button.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import type { Theme } from "../preferences.ts";
import { parseRoute } from "../router.ts";
import { shareQuery } from "./link.ts";
import { ModalDialog } from "./ModalDialog.tsx";
import { snippetOf } from "./snippet.ts";
import { shareTexts } from "./texts.ts";
import { useCopy } from "./use-copy.ts";

const VIEWS = ["chat", "compare", "trace", "grpo"] as const;
type View = (typeof VIEWS)[number];

/** CSS pixels in which each view reads well. */
const HEIGHTS: Record<View, number> = { chat: 560, compare: 560, trace: 480, grpo: 720 };

/** The snippet that shows this page's state in another page. */
export function EmbedDialog({ onClose }: { readonly onClose: () => void }) {
  const { t } = usePartTexts(shareTexts);
  const { page } = parseRoute(location.hash);
  const [view, setView] = useState<View>(page === "lab" ? "grpo" : "chat");
  const [theme, setTheme] = useState<Theme>("auto");
  const [src, setSrc] = useState("");
  useEffect(() => {
    let isLast = true;
    // A run is the lab's to describe, everything else the playground's.
    void embedAddress(view, theme, view === "grpo" ? "lab" : "playground").then((address) => {
      if (isLast) setSrc(address);
    });
    return () => {
      isLast = false;
    };
  }, [view, theme]);
  const { isCopied, copy } = useCopy();
  const html = src === "" ? "" : snippetOf({ src, title: "R1 Playground", height: HEIGHTS[view] });
  const views: Record<View, string> = {
    chat: t.viewChat,
    compare: t.viewCompare,
    trace: t.viewTrace,
    grpo: t.viewGrpo,
  };
  const themes: readonly (readonly [Theme, string])[] = [
    ["auto", t.themeReader],
    ["light", t.themeLight],
    ["dark", t.themeDark],
  ];
  return (
    <ModalDialog heading={t.embedHeading} closeLabel={t.close} onClose={onClose}>
      <p className="text-sm">{t.embedIntro}</p>
      <div className="flex flex-wrap gap-x-6 gap-y-3">
        <Select
          label={t.embedView}
          value={view}
          onChange={(value) => setView(VIEWS.find((one) => one === value) ?? view)}
        >
          {VIEWS.map((value) => (
            <option key={value} value={value}>
              {views[value]}
            </option>
          ))}
        </Select>
        <Select
          label={t.embedTheme}
          value={theme}
          onChange={(value) => setTheme(themes.find(([name]) => name === value)?.[0] ?? theme)}
        >
          {themes.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </Select>
      </div>
      <Snippet label={t.snippet} html={html} />
      <div className="flex flex-wrap items-center justify-end gap-3">
        <a href={src} target="_blank" rel="noreferrer" className="text-sm text-accent underline">
          {t.preview}
        </a>
        <Button kind="primary" disabled={html === ""} onClick={() => void copy(html)}>
          {isCopied ? t.snippetCopied : t.copy}
        </Button>
        <span role="status" className="sr-only">
          {isCopied ? t.snippetCopied : ""}
        </span>
      </div>
    </ModalDialog>
  );
}

async function embedAddress(view: View, theme: Theme, page: "lab" | "playground"): Promise<string> {
  const state = await shareQuery(page);
  const query = new URLSearchParams({ v: "1", view });
  for (const [key, value] of state) query.set(key, value);
  if (theme === "auto") query.delete("theme");
  else query.set("theme", theme);
  const address = new URL("embed.html", document.baseURI);
  // Servers see and log the query, and limit its length: what is large stays behind the hash.
  const packed = query.get("s");
  query.delete("s");
  address.search = query.toString();
  address.hash = packed === null ? "" : new URLSearchParams({ s: packed }).toString();
  return address.href;
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
}

function Select({ label, value, onChange, children }: SelectProps) {
  const id = useId();
  return (
    <div className="flex items-center gap-2 text-sm">
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className="rounded-md border border-edge bg-paper px-2 py-1"
        value={value}
        onChange={({ target }) => onChange(target.value)}
      >
        {children}
      </select>
    </div>
  );
}

function Snippet({ label, html }: { readonly label: string; readonly html: string }) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-semibold">
        {label}
      </label>
      <textarea
        id={id}
        readOnly
        rows={9}
        spellCheck={false}
        value={html}
        className="w-full rounded-md border border-edge bg-paper px-3 py-2 font-mono text-xs break-all"
        onFocus={({ target }) => target.select()}
      />
    </div>
  );
}
