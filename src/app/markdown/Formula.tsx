import katex from "katex";
import "katex/dist/katex.min.css";
import { useEffect, useLayoutEffect, useRef } from "react";
import { copyWithTex, TEX_ATTRIBUTE } from "./copy-tex.ts";
import { KATEX_OPTIONS } from "./katex-options.ts";
import { inSlices } from "../slices.ts";
import { typesetSource } from "./tex-source.ts";

interface FormulaProps {
  readonly source: string;
  readonly display: boolean;
}

/**
 * A formula; its source until its turn to be typeset, and for good where it cannot be. KaTeX builds elements and sets their
 * styles one by one, which the content security policy allows; its HTML would carry style attributes, which it does not.
 */
export function Formula({ source, display }: FormulaProps) {
  const box = useRef<HTMLSpanElement>(null);
  const cancel = useRef<() => void>(undefined);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    cancel.current?.();
    if (element.textContent === "") element.textContent = source;
    cancel.current = inSlices(() => {
      try {
        katex.render(typesetSource(source), element, { ...KATEX_OPTIONS, displayMode: display });
        element.classList.remove("formula-source");
      } catch {
        // A formula that is not finished, or wrong. What is there may be an earlier one.
        element.textContent = source;
        element.classList.add("formula-source");
      }
    });
  }, [source, display]);
  useEffect(() => {
    // The same function is heard once, however many formulas there are.
    document.addEventListener("copy", copyWithTex);
    return () => cancel.current?.();
  }, []);
  const tex = { [TEX_ATTRIBUTE]: display ? `$$${source}$$` : `$${source}$` };
  return <span ref={box} {...tex} className={`formula-source ${display ? "block overflow-x-auto" : ""}`} />;
}
