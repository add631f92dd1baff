import { useSyncExternalStore } from "react";
import type { Tone } from "./scales.ts";

/** What a canvas needs to know of the page's style: variables resolved to colours it can draw with. */
export interface Palette extends Readonly<Record<Tone | "line" | "edge" | "sheet" | "paper", string>> {
  readonly font: string;
}

const cache = new Map<boolean, Palette>();

/** The colours of the theme that the page is in. */
export function usePalette(): Palette {
  return useSyncExternalStore(subscribe, snapshot);
}

function snapshot(): Palette {
  const isDark = themeIsDark();
  const known = cache.get(isDark);
  if (known) return known;
  const palette = readPalette();
  cache.set(isDark, palette);
  return palette;
}

function themeIsDark(): boolean {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === undefined ? matchMedia("(prefers-color-scheme: dark)").matches : chosen === "dark";
}

function subscribe(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  const preference = matchMedia("(prefers-color-scheme: dark)");
  preference.addEventListener("change", changed);
  return () => {
    observer.disconnect();
    preference.removeEventListener("change", changed);
  };
}

function readPalette(): Palette {
  const probe = document.createElement("span");
  document.body.append(probe);
  // A variable's own text may be `light-dark(…)`; only a property that uses it tells the colour.
  const color = (variable: string): string => {
    probe.style.color = `var(--${variable})`;
    return getComputedStyle(probe).color;
  };
  const palette = {
    positive: color("positive"),
    negative: color("negative"),
    zero: color("zero"),
    reward: color("reward"),
    kl: color("kl"),
    entropy: color("entropy"),
    // Lines and their labels are read, not only seen.
    thought: color("thought-ink"),
    ink: color("ink"),
    quiet: color("quiet"),
    failure: color("failure"),
    line: color("line"),
    edge: color("edge"),
    sheet: color("sheet"),
    paper: color("paper"),
    font: getComputedStyle(document.body).fontFamily,
  };
  probe.remove();
  return palette;
}
