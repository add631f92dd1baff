import { usePartTexts } from "../i18n/use-part-texts.ts";
import { CHAPTERS } from "./chapters.ts";
import { hrefOfPlace } from "./place.ts";
import { learnTexts } from "./texts.ts";

/** A chapter as a page of a book. */
export function ChapterView({ chapter }: { readonly chapter: number }) {
  const { t } = usePartTexts(learnTexts);
  const shown = CHAPTERS[chapter - 1];
  if (!shown) return null;
  const here = { chapter, section: 1, isPresenting: false };
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <article className="mx-auto flex max-w-3xl flex-col gap-14 px-4 pt-4 pb-16 sm:px-8 lg:pt-10">
        <header className="flex flex-wrap items-start justify-between gap-x-6 sm:flex-nowrap gap-y-3">
          <h2 className="text-xl font-semibold text-balance lg:text-[1.75rem]">
            <span className="mr-3 text-quiet">{chapter}</span>
            {t[shown.title]}
          </h2>
          <a
            href={hrefOfPlace({ ...here, isPresenting: true })}
            title={t.presentHint}
            className="rounded-md border border-edge bg-sheet px-3 py-1.5 text-sm font-semibold whitespace-nowrap hover:border-ink"
          >
            {t.present}
          </a>
        </header>
        {shown.sections.map((Section, i) => (
          // A chapter's sections never change their order.
          <Section key={i} />
        ))}
        <nav
          aria-label={`${t.previous} / ${t.next}`}
          className="flex justify-between gap-4 border-t border-line pt-5 text-sm"
        >
          <Neighbour chapter={chapter - 1} label={t.previous} />
          <Neighbour chapter={chapter + 1} label={t.next} isNext />
        </nav>
      </article>
    </div>
  );
}

interface NeighbourProps {
  readonly chapter: number;
  readonly label: string;
  readonly isNext?: boolean;
}

function Neighbour({ chapter, label, isNext = false }: NeighbourProps) {
  const { t } = usePartTexts(learnTexts);
  const neighbour = CHAPTERS[chapter - 1];
  if (!neighbour) return <span />;
  return (
    <a
      href={hrefOfPlace({ chapter, section: 1, isPresenting: false })}
      className={`group flex flex-col ${isNext ? "text-right" : ""}`}
    >
      <span className="text-quiet">{isNext ? `${label} →` : `← ${label}`}</span>
      <span className="font-semibold text-accent underline-offset-2 group-hover:underline">
        {chapter}. {t[neighbour.title]}
      </span>
    </a>
  );
}
