import { useId } from "react";
import type { ReactElement, ReactNode } from "react";
import { Words } from "./Words.tsx";

interface SectionProps {
  readonly title: string;
  /** Paragraphs as texts, and between them what is no text (formulas, tables), each with its key. */
  readonly prose: readonly (string | ReactElement)[];
  /** The figure, which stands beside the prose where the chapters are presented. */
  readonly children: ReactNode;
}

/** One screen of a presentation, one part of a chapter. */
export function Section({ title, prose, children }: SectionProps) {
  const heading = useId();
  return (
    <section
      aria-labelledby={heading}
      className="flex flex-col gap-5 in-data-presenting:lg:grid in-data-presenting:lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)] in-data-presenting:lg:items-center in-data-presenting:lg:gap-12"
    >
      <div className="flex min-w-0 flex-col gap-3 in-data-presenting:lg:gap-5 in-data-presenting:lg:text-[1.15rem]">
        <h3 id={heading} className="text-xl font-semibold text-balance">
          {title}
        </h3>
        {prose.map((part, i) =>
          typeof part === "string" ? (
            <p key={i}>
              <Words text={part} />
            </p>
          ) : (
            part
          ),
        )}
      </div>
      <div className="flex min-w-0 flex-col gap-5">{children}</div>
    </section>
  );
}

interface FigureProps {
  /** Its number and name. */
  readonly title: string;
  /** What to try, and what it shows. */
  readonly caption: string;
  readonly children: ReactNode;
}

/** A live figure: what it is above, what to make of it below. */
export function Figure({ title, caption, children }: FigureProps) {
  const name = useId();
  return (
    <figure aria-labelledby={name} className="rounded-lg border border-line bg-sheet p-4 sm:p-5">
      <p id={name} className="mb-4 text-sm font-semibold">
        {title}
      </p>
      {children}
      <figcaption className="mt-4 border-t border-line pt-3 text-sm text-quiet in-data-presenting:lg:sr-only">
        <Words text={caption} />
      </figcaption>
    </figure>
  );
}
