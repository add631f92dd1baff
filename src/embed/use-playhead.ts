import { useCallback, useEffect, useState } from "react";

const TICK_MS = 100;
/** However many steps it has, a run plays in this time. */
const WHOLE_MS = 12_000;

export interface Playhead {
  /** Steps that are shown. */
  readonly step: number;
  readonly isPlaying: boolean;
  /** From the beginning. */
  readonly play: () => void;
}

/** Counts through a run's steps; before it is played, and where nothing shall move, the run is whole. */
export function usePlayhead(total: number): Playhead {
  const [step, setStep] = useState(total);
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => {
    if (!isPlaying) return undefined;
    const stride = Math.max(1, Math.round((total * TICK_MS) / WHOLE_MS));
    const timer = setInterval(() => setStep((now) => Math.min(total, now + stride)), TICK_MS);
    return () => clearInterval(timer);
  }, [isPlaying, total]);
  if (isPlaying && step >= total) setPlaying(false);
  const play = useCallback((): void => {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    setStep(1);
    setPlaying(total > 1);
  }, [total]);
  return { step, isPlaying, play };
}
