import { useEffect, useRef } from "react";
import type { RefObject } from "react";

/** Pixels from the end within which the reader counts as being at the end. */
const NEAR_PX = 32;

/**
 * Keeps a scrolling box at its end while its content grows, unless the reader has scrolled away from there.
 * @param enabled following can be off, as in a text that no longer grows
 */
export function useFollow(enabled: boolean): {
  readonly box: RefObject<HTMLDivElement | null>;
  readonly content: RefObject<HTMLDivElement | null>;
} {
  const box = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const [scroller, inner] = [box.current, content.current];
    if (!scroller || !inner) return undefined;
    let atEnd = true;
    let lastTop = scroller.scrollTop;
    const look = (): void => {
      const { scrollTop, scrollHeight, clientHeight } = scroller;
      if (scrollHeight - scrollTop - clientHeight < NEAR_PX) atEnd = true;
      // Only upwards is the reader's doing: content may have grown again since it was followed down.
      else if (scrollTop < lastTop) atEnd = false;
      lastTop = scrollTop;
      scroller.dataset["scrolled"] = String(scrollTop > 0);
    };
    const follow = new ResizeObserver(() => {
      if (enabled && atEnd) scroller.scrollTop = scroller.scrollHeight;
    });
    follow.observe(inner);
    scroller.addEventListener("scroll", look, { passive: true });
    return () => {
      follow.disconnect();
      scroller.removeEventListener("scroll", look);
    };
  }, [enabled]);
  return { box, content };
}
