import { useId, useState } from "react";
import { Chevron } from "./Chevron.tsx";

interface FoldProps {
  readonly title: string;
  /** Level of its heading; the settings of a page are a section of their own. */
  readonly level?: 2 | 3;
  /** What is inside, in a line. */
  readonly summary?: string | undefined;
  /** Open whatever the reader has chosen: something inside needs them. */
  readonly forced?: boolean;
  readonly children: React.ReactNode;
}

/** Settings folded under a line that says what they are. */
export function Fold({ title, summary, level = 3, forced = false, children }: FoldProps) {
  const region = useId();
  const [chosen, setChosen] = useState(false);
  const open = chosen || forced;
  const [Box, Heading] = level === 2 ? (["section", "h2"] as const) : (["div", "h3"] as const);
  return (
    <Box className="rounded-md border border-line bg-sheet">
      <Heading>
        <button
          type="button"
          aria-expanded={open}
          aria-controls={region}
          className={`flex w-full items-center gap-2 px-3 py-2 text-left ${level === 3 ? "text-sm" : ""}`}
          onClick={() => setChosen(!open)}
        >
          <Chevron open={open} />
          <span className="min-w-0">
            <span className="block font-semibold">{title}</span>
            {summary === undefined ? null : <span className="block text-xs text-quiet">{summary}</span>}
          </span>
        </button>
      </Heading>
      <div id={region} hidden={!open} className="flex flex-col gap-3 px-3 pb-3 [&[hidden]]:hidden">
        {open ? children : null}
      </div>
    </Box>
  );
}
