import { Fragment } from "react";

/** A tag of a reasoning model's text, or a letter with what stands below it: `π_old`. */
const SPECIAL = /(<\/?[a-z]+>|[επ]_[a-z]+)/;

/** A text's tags set as code, and its indices set low. */
export function Words({ text }: { readonly text: string }) {
  return text.split(SPECIAL).map((part, i) => {
    const [letter, index] = part.split("_", 2);
    if (part.startsWith("<")) {
      return (
        <code key={i} className="text-[0.9em]" lang="en">
          {part}
        </code>
      );
    }
    // The parts of a text have no name but their place.
    if (index === undefined || !SPECIAL.test(part)) return <Fragment key={i}>{part}</Fragment>;
    return (
      <span key={i} className="whitespace-nowrap">
        {letter}
        <sub>{index}</sub>
      </span>
    );
  });
}

/** The same within a drawing. */
export function DrawnWords({ text }: { readonly text: string }) {
  return text.split(SPECIAL).map((part, i) => {
    const [letter, index] = part.split("_", 2);
    if (index === undefined || !SPECIAL.test(part)) return <tspan key={i}>{part}</tspan>;
    return (
      <Fragment key={i}>
        <tspan>{letter}</tspan>
        <tspan className="text-[0.75em]" dy="0.3em">
          {index}
        </tspan>
        {/* Back to the line. */}
        <tspan dy="-0.225em">{"\u200b"}</tspan>
      </Fragment>
    );
  });
}
