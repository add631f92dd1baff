import katex from "katex";
import "katex/dist/katex.min.css";

/**
 * Typesets a formula into an element, with MathML beside it for those who hear it. KaTeX builds elements and sets their
 * styles one by one, which the content security policy allows; its HTML would carry style attributes, which it does not.
 */
export function typeset(source: string, element: HTMLElement): void {
  katex.render(source, element, { displayMode: true, trust: false, output: "htmlAndMathml" });
}
