import { useEffect, useMemo } from "react";
import { useLab } from "../lab/use-lab.ts";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { useQuery } from "../router.ts";
import { CHAPTERS, SECTION_COUNTS } from "./chapters.ts";
import { ChapterView } from "./ChapterView.tsx";
import { OwnRunContext } from "./own-run.ts";
import { hrefOfPlace, placeOf } from "./place.ts";
import { Presentation } from "./Presentation.tsx";
import { learnTexts } from "./texts.ts";

/** Five chapters with live figures, to read or to present. */
export function LearnPage() {
  // The run that is in front in the lab: the reader's newest there, or else the record that comes with the page.
  const run = useLab(({ data, shown: [front] }) => (front === undefined ? undefined : data[front]));
  const openLab = useLab((state) => state.open);
  useEffect(() => void openLab(), [openLab]);
  const query = useQuery();
  const place = useMemo(() => placeOf(query, SECTION_COUNTS), [query]);
  return (
    <OwnRunContext value={run}>
      {place.isPresenting ? (
        <Presentation place={place} />
      ) : (
        <main className="flex min-h-0 flex-1 flex-col lg:flex-row">
          <Contents chapter={place.chapter} />
          {/* A new chapter begins at its top. */}
          <ChapterView key={place.chapter} chapter={place.chapter} />
        </main>
      )}
    </OwnRunContext>
  );
}

/** The chapters: a list on a wide screen, a select on a narrow one. */
function Contents({ chapter }: { readonly chapter: number }) {
  const { t } = usePartTexts(learnTexts);
  const hrefs = CHAPTERS.map((_, i) => hrefOfPlace({ chapter: i + 1, section: 1, isPresenting: false }));
  return (
    <nav
      aria-label={t.chapters}
      className="border-line px-4 py-3 lg:w-72 lg:shrink-0 lg:overflow-y-auto lg:border-r lg:p-5"
    >
      <select
        aria-label={t.chapters}
        className="w-full rounded-md border border-edge bg-sheet px-2 py-1.5 text-sm lg:hidden"
        value={hrefs[chapter - 1]}
        onChange={({ target }) => {
          location.hash = target.value;
        }}
      >
        {CHAPTERS.map(({ title }, i) => (
          <option key={title} value={hrefs[i]}>
            {i + 1}. {t[title]}
          </option>
        ))}
      </select>
      <ol className="hidden flex-col gap-0.5 lg:flex">
        {CHAPTERS.map(({ title }, i) => (
          <li key={title}>
            <a
              href={hrefs[i]}
              aria-current={i + 1 === chapter ? "page" : undefined}
              className="flex gap-3 rounded-md px-3 py-2 text-sm text-quiet hover:text-ink aria-[current=page]:bg-bubble aria-[current=page]:font-semibold aria-[current=page]:text-ink"
            >
              <span aria-hidden>{i + 1}</span>
              {t[title]}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  );
}
