import { useEffect, useState } from "react";
import type { RefObject } from "react";

/** Whether an element has been seen: within a frame, the reader's screen counts, not the frame. */
export function useSeen(target: RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    const { current } = target;
    if (!current || isSeen) return undefined;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) setSeen(true);
    });
    observer.observe(current);
    return () => observer.disconnect();
  }, [target, isSeen]);
  return isSeen;
}
