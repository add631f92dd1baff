import { useEffect, useState } from "react";

export interface Sized<T extends HTMLElement> {
  /** For the element's `ref`: it may come later, go, and be another. */
  readonly setElement: (element: T | null) => void;
  readonly element: T | null;
  /** Inner size in CSS pixels, 0 until the element is there. */
  readonly width: number;
  readonly height: number;
}

/** An element and its size. */
export function useSize<T extends HTMLElement>(): Sized<T> {
  const [element, setElement] = useState<T | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return { setElement, element, ...size };
}
