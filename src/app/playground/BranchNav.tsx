import { formatCount } from "../format.ts";
import type { Place } from "./conversation.ts";
import { usePlayTexts } from "./texts.ts";

interface BranchNavProps {
  /** What is gone through. */
  readonly label: string;
  readonly place: Place;
  readonly disabled: boolean;
  readonly onGo: (at: number) => void;
}

/** ‹ 2/3 › between the branches of a conversation; nothing where there is only one. */
export function BranchNav({ label, place: { at, of }, disabled, onGo }: BranchNavProps) {
  const { t, language } = usePlayTexts();
  if (of < 2) return null;
  const step = (to: number, name: string, sign: string) => (
    <button
      type="button"
      aria-label={name}
      disabled={disabled || to < 1 || to > of}
      className="rounded px-2 py-0.5 enabled:hover:bg-bubble disabled:opacity-40"
      onClick={() => onGo(to)}
    >
      {sign}
    </button>
  );
  return (
    <span role="group" aria-label={label} className="flex items-center text-xs text-quiet">
      {step(at - 1, t.previous, "‹")}
      <span>
        {formatCount(at, language)}/{formatCount(of, language)}
      </span>
      {step(at + 1, t.next, "›")}
    </span>
  );
}
