/** Marks a typeset formula with its source, delimiters included. */
export const TEX_ATTRIBUTE = "data-tex";

/**
 * Text that is copied has its formulas as TeX, not as the pieces that they are drawn with. The formulas of the selection
 * stand as text in the page for as long as the browser takes to turn it into text, so that its own rules for paragraphs,
 * lists and tables hold.
 */
export function copyWithTex(event: ClipboardEvent): void {
  const selection = document.getSelection();
  if (event.defaultPrevented || !event.clipboardData || !selection || selection.isCollapsed) return;
  const ranges = Array.from({ length: selection.rangeCount }, (_, i) => selection.getRangeAt(i));
  const boxes = [...document.querySelectorAll<HTMLElement>(`[${TEX_ATTRIBUTE}]`)].filter((box) =>
    ranges.some((range) => range.intersectsNode(box)),
  );
  if (boxes.length === 0) return;
  const before = ranges.map(({ startContainer, startOffset, endContainer, endOffset }) => ({
    start: [startContainer, startOffset] as const,
    end: [endContainer, endOffset] as const,
  }));
  // A formula is copied whole.
  const whole = ranges.map((range) => {
    const wider = range.cloneRange();
    for (const box of boxes) {
      if (box.contains(range.startContainer)) wider.setStartBefore(box);
      if (box.contains(range.endContainer)) wider.setEndAfter(box);
    }
    return wider;
  });
  const drawn = boxes.map((box) => {
    const parts = document.createDocumentFragment();
    parts.append(...box.childNodes);
    box.append(box.getAttribute(TEX_ATTRIBUTE) ?? "");
    return { box, parts };
  });
  select(selection, whole);
  const text = selection.toString();
  const page = document.createElement("div");
  for (const range of whole) page.append(range.cloneContents());
  for (const { box, parts } of drawn) box.replaceChildren(parts);
  const restored = before.map(({ start, end }) => {
    const range = document.createRange();
    range.setStart(...start);
    range.setEnd(...end);
    return range;
  });
  select(selection, restored);
  for (const box of page.querySelectorAll(`[${TEX_ATTRIBUTE}]`)) box.replaceWith(box.textContent);
  for (const element of page.querySelectorAll("*")) {
    for (const name of element.getAttributeNames()) if (!KEPT.has(name)) element.removeAttribute(name);
  }
  event.clipboardData.setData("text/plain", text);
  event.clipboardData.setData("text/html", page.innerHTML);
  event.preventDefault();
}

/** The page's looks are no part of what is copied. */
const KEPT = new Set(["href", "start", "value", "lang"]);

function select(selection: Selection, ranges: readonly Range[]): void {
  selection.removeAllRanges();
  for (const range of ranges) selection.addRange(range);
}
