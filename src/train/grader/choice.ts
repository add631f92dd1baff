const FONT = String.raw`\$?(?:(?:[Oo]ption|[Cc]hoice)\s{1,3})?(?:\\(?:text|textbf|textrm|textit|mathrm|mathbf|bf|rm)\s{0,3}\{?\s{0,3})?`;
/** The letter of "(B) 12", "\textbf{(B)} 12", "B) 12", "B. twelve" or "B: twelve". */
const LABELLED = new RegExp(
  String.raw`^\s{0,9}${FONT}(?:[([【]([A-Z])[)\]】]|([A-Z])\}?\s?(?:\)|[.:：](?=\s|\p{L}|$)|、(?!\s?[A-Z](?![a-z]))(?=\s|\p{L}|$)))`,
  "u",
);
/** The same with its closing brace, before an answer and not before the rest of a product or a sum. */
const LABEL = new RegExp(
  String.raw`${LABELLED.source}\s{0,3}(?:\\[ ,;:~]|\}|~|\s|\\q?quad(?![a-z])){0,9}(?=[^\s}])(?![+*/^=<>]|-\s)`,
  "u",
);
/** A letter alone, with its reason after it; "A better one" begins with a word. */
const REASONED = /^\s{0,9}([A-Z])(?:\s(?:because|since|as it)\b|[,，]|\.?$)/;
const WHOLE = new RegExp(String.raw`^\s{0,9}${FONT}\(?([A-Z])\)?\}?\s{0,9}[.。]?\s{0,9}$`, "u");

/**
 * The letter with which an answer to a question of choices begins.
 * @param isAnnounced the text follows "the answer is", so that a letter may stand without a mark
 */
export function choiceOf(text: string, isAnnounced = false): string | undefined {
  const start = text.slice(0, 200);
  const labelled = LABELLED.exec(start);
  if (labelled) return labelled[1] ?? labelled[2];
  return WHOLE.exec(start)?.[1] ?? (isAnnounced ? REASONED.exec(start)?.[1] : undefined);
}

/** The answer that stands after its letter: 12 of "(C) 12"; the whole text where nothing does. */
export function withoutLabel(text: string): string {
  return text.replace(LABEL, (label) => (label.includes("{") && !label.includes("}") ? "\\text{" : ""));
}
