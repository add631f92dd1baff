import { useCallback, useEffect, useRef } from "react";
import { Button } from "../components/Button.tsx";
import { usePartTexts } from "../i18n/use-part-texts.ts";
import { CHAPTERS, SECTION_COUNTS } from "./chapters.ts";
import { parseRoute } from "../router.ts";
import { hrefOfPlace, placeOf, stepFrom } from "./place.ts";
import type { Place, Step } from "./place.ts";
import { learnTexts } from "./texts.ts";

const STEPS: Readonly<Record<string, Step>> = {
  ArrowRight: "next",
  ArrowDown: "next",
  PageDown: "next",
  ArrowLeft: "previous",
  ArrowUp: "previous",
  PageUp: "previous",
  Home: "first",
  End: "last",
};

/** What uses these keys itself. */
const OPERATED = "input, textarea, select, [role=slider]";

/** One section per screen in large type, for a group; the address says which. */
export function Presentation({ place }: { readonly place: Place }) {
  const { t } = usePartTexts(learnTexts);
  const stage = useRef<HTMLElement>(null);
  const { chapter, section } = place;
  const shown = CHAPTERS[chapter - 1];
  const Section = shown?.sections[section - 1];

  const step = useCallback(
    // From the address, which is ahead of the screen when keys follow each other quickly. A talk leaves no trail of screens
    // behind: back leads to where it began.
    (direction: Step) => {
      const here = placeOf(parseRoute(location.hash).query, SECTION_COUNTS);
      location.replace(hrefOfPlace(stepFrom(here, direction, SECTION_COUNTS)));
    },
    [],
  );
  const leave = useCallback(() => {
    if (document.fullscreenElement) void document.exitFullscreen();
    location.replace(hrefOfPlace({ ...place, isPresenting: false }));
  }, [place]);

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
      if (event.key === "Escape") {
        leave();
        return;
      }
      const direction = STEPS[event.key];
      if (!direction || (event.target instanceof Element && event.target.closest(OPERATED))) return;
      event.preventDefault();
      step(direction);
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, [leave, step]);

  useEffect(() => {
    // What had the focus may be gone with its screen, but the buttons of the bar keep it.
    if (document.activeElement === document.body) stage.current?.focus();
    stage.current?.scrollTo(0, 0);
  }, [chapter, section]);

  if (!shown || !Section) return null;
  const last = SECTION_COUNTS.length;
  const isFirst = chapter === 1 && section === 1;
  const isLast = chapter === last && section === SECTION_COUNTS[last - 1];
  const screen = SECTION_COUNTS.slice(0, chapter - 1).reduce((sum, count) => sum + count, section);
  const screens = SECTION_COUNTS.reduce((sum, count) => sum + count, 0);
  const position = `${chapter}. ${t[shown.title]}, ${section} / ${shown.sections.length}`;
  return (
    <div data-presenting className="flex min-h-0 flex-1 flex-col">
      <main
        ref={stage}
        tabIndex={-1}
        aria-label={t.presentation}
        className="min-h-0 flex-1 overflow-y-auto px-6 py-6 outline-none lg:px-14"
      >
        <div className="mx-auto flex min-h-full max-w-7xl flex-col">
          <h1 className="sr-only">{t.presentation}</h1>
          <h2 className="text-sm text-quiet">
            {chapter}. {t[shown.title]}
          </h2>
          <div className="my-auto py-4">
            <Section key={`${chapter}.${section}`} />
          </div>
        </div>
      </main>
      <nav
        aria-label={t.presentation}
        className="flex flex-wrap items-center gap-2 border-t border-line bg-sheet px-4 py-2"
      >
        <Button onClick={leave}>{t.leave}</Button>
        {document.fullscreenEnabled ? <Button onClick={toggleFullscreen}>{t.fullscreen}</Button> : null}
        <p aria-hidden className="flex-1 text-center text-xs text-quiet">
          {screen} / {screens}
        </p>
        <p role="status" className="sr-only">
          {position}
        </p>
        <Button disabled={isFirst} onClick={() => step("previous")}>
          ← {t.previous}
        </Button>
        <Button kind="primary" disabled={isLast} onClick={() => step("next")}>
          {t.next} →
        </Button>
      </nav>
    </div>
  );
}

function toggleFullscreen(): void {
  // Refused where the browser or a frame does not allow it: the presentation goes on as it is.
  const done = document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  done.catch(() => undefined);
}
