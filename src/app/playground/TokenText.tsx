import { memo, useEffect, useId, useRef } from "react";
import type { KeyboardEvent, MouseEvent } from "react";
import type { Channel } from "../../text/channels.ts";
import { usePage } from "../store.ts";
import { heatOf } from "./heat.ts";
import type { TokenView } from "./heat.ts";
import { usePlayTexts } from "./texts.ts";
import { logLength, PIECE, tokenAt } from "./token-log.ts";
import type { TokenInfo, TokenLog } from "./token-log.ts";

interface TokenTextProps {
  readonly log: TokenLog;
  /** Which of the reply's tokens. */
  readonly channel: Channel;
  readonly view: Exclude<TokenView, "text">;
  /** The turn's id. */
  readonly turn: number;
  readonly sample: number;
  readonly label: string;
}

/** A text token by token, each of which can be looked at: one stop of the Tab key, within which the arrow keys move. */
export function TokenText({ log, channel, view, turn, sample, label }: TokenTextProps) {
  const { t } = usePlayTexts();
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const inspect = usePage((state) => state.inspect);
  const inspected = usePage(({ inspected: place }) =>
    place?.turn === turn && place.sample === sample ? place.index : undefined,
  );
  const selected = inspected !== undefined && tokenAt(log, inspected)?.channel === channel ? inspected : undefined;
  useEffect(() => {
    box.current?.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }, [selected]);

  const choose = (event: MouseEvent): void => {
    const index = event.target instanceof HTMLElement ? event.target.dataset["index"] : undefined;
    if (index !== undefined) inspect({ turn, sample, index: Number(index) });
  };
  const move = (event: KeyboardEvent): void => {
    const to = destination(event.key, log, channel, selected);
    if (event.key === "Escape") inspect(undefined);
    if (to === undefined) return;
    event.preventDefault();
    inspect({ turn, sample, index: to });
  };

  return (
    <div
      ref={box}
      role="listbox"
      tabIndex={0}
      aria-label={`${t.tokensOf} ${label}`}
      aria-activedescendant={selected === undefined ? undefined : `${id}-${selected}`}
      className="cursor-pointer leading-loose break-words whitespace-pre-wrap -outline-offset-2"
      onClick={choose}
      onKeyDown={move}
    >
      {log.map((tokens, i) => (
        <Piece
          key={i}
          id={id}
          tokens={tokens}
          start={i * PIECE}
          channel={channel}
          view={view}
          selected={selected !== undefined && Math.floor(selected / PIECE) === i ? selected : undefined}
        />
      ))}
    </div>
  );
}

/** Where a key leads: to a token of the same channel. */
function destination(key: string, log: TokenLog, channel: Channel, from: number | undefined): number | undefined {
  const last = logLength(log) - 1;
  const seek = (start: number, step: 1 | -1): number | undefined => {
    for (let i = start; i >= 0 && i <= last; i += step) if (tokenAt(log, i)?.channel === channel) return i;
    return undefined;
  };
  switch (key) {
    case "ArrowRight":
    case "ArrowDown":
      return seek(from === undefined ? 0 : from + 1, 1);
    case "ArrowLeft":
    case "ArrowUp":
      return seek(from === undefined ? last : from - 1, -1);
    case "Home":
      return seek(0, 1);
    case "End":
      return seek(last, -1);
    default:
      return undefined;
  }
}

interface PieceProps {
  readonly id: string;
  readonly tokens: readonly TokenInfo[];
  /** Index of the first. */
  readonly start: number;
  readonly channel: Channel;
  readonly view: Exclude<TokenView, "text">;
  readonly selected: number | undefined;
}

const Piece = memo(function Piece({ id, tokens, start, channel, view, selected }: PieceProps) {
  return tokens.map((token, i) =>
    token.channel === channel ? (
      <span
        key={start + i}
        id={`${id}-${start + i}`}
        role="option"
        aria-selected={start + i === selected}
        data-index={start + i}
        data-heat={heatOf(token, view)}
        className={`token ${token.forced ? "token-forced" : ""}`}
      >
        {shownText(token)}
      </span>
    ) : null,
  );
});

/** A token without text is a tag, the end, or part of a character. */
function shownText({ text, piece }: TokenInfo): string {
  if (text === "") return piece !== undefined && piece.length > 1 ? piece : "·";
  return text.replaceAll("\n", "↵\n");
}
