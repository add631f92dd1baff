import { useEffect, useRef, useState } from "react";

/** Milliseconds between two drawings: ten a second at most. */
export const DRAW_EVERY_MS = 100;

/** The value, as it was at most `every` milliseconds ago: changes in between wait, and the last one is never lost. */
export function useThrottled<T>(value: T, every = DRAW_EVERY_MS): T {
  const [shown, setShown] = useState(value);
  const shownAt = useRef(-Infinity);
  useEffect(() => {
    const show = (): void => {
      shownAt.current = performance.now();
      setShown(() => value);
    };
    const timer = setTimeout(show, Math.max(0, shownAt.current + every - performance.now()));
    return () => clearTimeout(timer);
  }, [value, every]);
  return shown;
}
