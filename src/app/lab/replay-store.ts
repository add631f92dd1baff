import { create } from "zustand";

const TICK_MS = 100;

/** Steps in a second. */
export const SPEEDS = [2, 10, 40] as const;
export type Speed = (typeof SPEEDS)[number];

interface Replay {
  readonly runId: string;
  /** The step that is shown; a fraction on the way to the next. */
  readonly position: number;
  readonly last: number;
  readonly isPlaying: boolean;
}

interface ReplayState {
  /** Undefined while every run is shown whole. */
  readonly replay: Replay | undefined;
  readonly speed: Speed;
  /** From the beginning where it is at its end or another run's. */
  readonly play: (runId: string, last: number) => void;
  readonly pause: () => void;
  /** Holds at a step; at the last one the run is whole. */
  readonly seek: (runId: string, last: number, position: number) => void;
  readonly setSpeed: (speed: Speed) => void;
  readonly end: () => void;
}

/** A run that has ended, played again. */
export const useReplay = create<ReplayState>()((set, get) => {
  let timer: ReturnType<typeof setInterval> | undefined;
  const halt = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  const tick = (): void => {
    const { replay, speed } = get();
    if (!replay) return;
    const position = replay.position + (speed * TICK_MS) / 1000;
    if (position < replay.last) {
      set({ replay: { ...replay, position } });
      return;
    }
    halt();
    set({ replay: undefined });
  };
  return {
    replay: undefined,
    speed: 10,
    play: (runId, last) => {
      halt();
      const { replay } = get();
      const position = replay?.runId === runId ? replay.position : 0;
      set({ replay: { runId, last, position, isPlaying: true } });
      timer = setInterval(tick, TICK_MS);
    },
    pause: () => {
      halt();
      const { replay } = get();
      if (replay) set({ replay: { ...replay, isPlaying: false } });
    },
    seek: (runId, last, position) => {
      halt();
      set({ replay: position >= last ? undefined : { runId, last, position, isPlaying: false } });
    },
    setSpeed: (speed) => set({ speed }),
    end: () => {
      halt();
      set({ replay: undefined });
    },
  };
});
