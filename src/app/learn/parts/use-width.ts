import { useLayoutEffect, useRef, useState } from "react";
import type { RefObject } from "react";

export interface Width {
  readonly box: RefObject<HTMLDivElement | null>;
  /** In CSS pixels; 0 before it is known. */
  readonly width: number;
  /** Pixels of 1 rem, which a presentation enlarges. */
  readonly rem: number;
}

/** A box's width, so that a drawing's text has the page's own sizes on every screen. */
export function useWidth(): Width {
  const box = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, rem: 16 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const measure = (): void => {
      const rem = Number.parseFloat(getComputedStyle(document.documentElement).fontSize);
      setSize({ width: element.clientWidth, rem });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { box, ...size };
}
